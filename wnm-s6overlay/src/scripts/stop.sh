# Names of services. Prints those that could not be taken down.
once_up
take_down "$@"
for dir in $down; do
    said="$(state "$dir")"
    [ "$said" = false ] || echo "${dir##*/} $said"
done
exit 0
