# Waits until nodes can start.
wait_for_scanner
wait_for_owner_ids
exit 0
