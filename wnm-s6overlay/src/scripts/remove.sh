# Arguments: names of services. Stops the services and removes their directories. Prints and keeps those that did
# not stop.
wait_for_scanner
bring_down "$@"
kept=
for dir in $not_down; do
    status="$(state "$dir")"
    if [ "$status" != false ]; then
        echo "${dir##*/} $status"
        kept="$kept ${dir##*/} "
    fi
done
removed=
for name in "$@"; do
    [ ! -e "$scan/.$name.new" ] || rm -rf "$scan/.$name.new"
    case "$kept" in *" $name "*) continue ;; esac
    [ -d "$scan/$name" ] || continue
    [ ! -e "$scan/.$name.gone" ] || rm -rf "$scan/.$name.gone"
    mv "$scan/$name" "$scan/.$name.gone" && removed="$removed $scan/.$name.gone"
done
if [ -n "$removed" ]; then
    # s6-svscan stops the supervisors of directories that are gone.
    s6-svscanctl -an "$scan" || exit 90
    for dir in $removed; do
        tries=0
        while s6-svok "$dir" && [ "$tries" -lt 250 ]; do
            tries=$((tries + 1))
            sleep 0.02
        done
    done
    rm -rf $removed
fi
exit 0
