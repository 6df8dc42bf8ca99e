# Pairs of a service's name and its run script. Prints for each name whether it is up, and if not, its last exit
# code and signal.

# Whether a service has ended since its tally of deaths was cleared.
has_ended() {
    [ -s "$1/supervise/death_tally" ]
}

# The last line of the tally, `TIME exitcode 7` or `TIME signal SIGKILL`, as s6-svstat would tell it.
tell_end() {
    end="$(s6-svdt -n 1 "$1" 2>/dev/null)"
    case "$end" in
    *' exitcode '*) echo "false ${end##* } NA" ;;
    *) echo "false -1 ${end##* }" ;;
    esac
}

once_up
once_ant_is_the_owner
fresh=
all=
downs=
while [ "$#" -ge 2 ]; do
    dir="$scan/$1"
    all="$all $dir"
    downs="$downs $dir/down"
    if [ -d "$dir" ]; then
        printf %s "$2" >"$dir/run.new" && chmod 755 "$dir/run.new" && mv -f "$dir/run.new" "$dir/run" || exit 1
    else
        # The scanner passes over names with a dot, so that it sees the directory when it is whole. The service
        # stays down until it is told otherwise.
        new="$scan/.$1.new"
        [ ! -e "$new" ] || rm -rf "$new"
        mkdir "$new" && printf %s "$2" >"$new/run" && chmod 755 "$new/run" || exit 1
        : >"$new/down"
        # Milliseconds after which one that does not end by itself is killed.
        echo 10000 >"$new/timeout-kill"
        mv "$new" "$dir" || exit 1
        fresh=yes
    fi
    shift 2
done
if [ -n "$fresh" ]; then
    s6-svscanctl -a "$scan" || exit 90
fi
for dir in $all; do
    looks=0
    # The scanner has been told; each of its supervisors is there once s6-svok says so.
    until s6-svok "$dir"; do
        looks=$((looks + 1))
        [ "$looks" -lt 500 ] || break
        [ "$looks" -ne 100 ] || s6-svscanctl -a "$scan"
        sleep 0.02
    done
done
rm -f $downs
for dir in $all; do
    has_ended "$dir" && s6-svdt-clear "$dir" 2>/dev/null
    s6-svc -u "$dir" 2>/dev/null
done
heard=
wait_for -u -t 20000 $all
case $? in
0 | 99) heard=yes ;;
esac
# A program that is refused its arguments or its key ends within this. s6 starts it again, so that its being up says
# nothing; that it never ended does.
s6-svwait -d -t 1000 $all 2>/dev/null
for dir in $all; do
    printf '%s ' "${dir##*/}"
    if has_ended "$dir"; then
        tell_end "$dir"
    else
        said="$(state "$dir" up,exitcode,signal)"
        # One that is down and never ended has not begun, or is just about to.
        case "$heard$said" in
        yes* | true*) echo "$said" ;;
        *) echo unclear ;;
        esac
    fi
done
exit 0
