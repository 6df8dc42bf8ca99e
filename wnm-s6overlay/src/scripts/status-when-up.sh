# Waits for s6-svscan, then prints the name of every node's service and whether it is up.
wait_for_scanner
print_all_states
exit 0
