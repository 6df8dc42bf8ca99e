# Arguments: names of services. Stops them and prints those that did not stop.
wait_for_scanner
bring_down "$@"
for dir in $not_down; do
    status="$(state "$dir")"
    [ "$status" = false ] || echo "${dir##*/} $status"
done
exit 0
