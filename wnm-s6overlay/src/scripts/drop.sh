# Names of services. Prints those that could not be taken down, which are left where they are.
once_up
take_down "$@"
left=
for dir in $down; do
    said="$(state "$dir")"
    if [ "$said" != false ]; then
        echo "${dir##*/} $said"
        left="$left ${dir##*/} "
    fi
done
gone=
for name in "$@"; do
    [ ! -e "$scan/.$name.new" ] || rm -rf "$scan/.$name.new"
    case "$left" in *" $name "*) continue ;; esac
    [ -d "$scan/$name" ] || continue
    [ ! -e "$scan/.$name.gone" ] || rm -rf "$scan/.$name.gone"
    mv "$scan/$name" "$scan/.$name.gone" && gone="$gone $scan/.$name.gone"
done
if [ -n "$gone" ]; then
    # The scanner ends the supervisors of what is no longer there.
    s6-svscanctl -an "$scan" || exit 90
    for dir in $gone; do
        looks=0
        while s6-svok "$dir" && [ "$looks" -lt 250 ]; do
            looks=$((looks + 1))
            sleep 0.02
        done
    done
    rm -rf $gone
fi
exit 0
