# Names of services. Prints those that could not be taken down.
once_up
take_down "$@"
for dir in $down; do
    [ "$(state "$dir")" = false ] || echo "${dir##*/} true"
done
exit 0
