# Arguments: pairs of a service's name and its run script. Prints for each name whether the service is up, and if not,
# its last exit code and signal.

# Whether a service has exited since the last clear of its death tally.
has_exited() {
    [ -s "$1/supervise/death_tally" ]
}

# Prints the last line of the tally, `TIME exitcode 7` or `TIME signal SIGKILL`, in the format of s6-svstat.
print_exit() {
    death="$(s6-svdt -n 1 "$1" 2>/dev/null)"
    case "$death" in
    *' exitcode '*) echo "false ${death##* } NA" ;;
    *) echo "false -1 ${death##* }" ;;
    esac
}

wait_for_scanner
wait_for_owner_ids
rescan=
all=
down_files=
while [ "$#" -ge 2 ]; do
    dir="$scan/$1"
    all="$all $dir"
    down_files="$down_files $dir/down"
    if [ -d "$dir" ]; then
        printf %s "$2" >"$dir/run.new" && chmod 755 "$dir/run.new" && mv -f "$dir/run.new" "$dir/run" || exit 1
    else
        # s6-svscan ignores names that start with a dot, so it sees only the complete directory. The file `down`
        # keeps the service down until s6-svc starts it.
        new="$scan/.$1.new"
        [ ! -e "$new" ] || rm -rf "$new"
        mkdir "$new" && printf %s "$2" >"$new/run" && chmod 755 "$new/run" || exit 1
        : >"$new/down"
        # Milliseconds after which the supervisor kills a node that does not stop.
        echo 10000 >"$new/timeout-kill"
        mv "$new" "$dir" || exit 1
        rescan=yes
    fi
    shift 2
done
if [ -n "$rescan" ]; then
    s6-svscanctl -a "$scan" || exit 90
fi
for dir in $all; do
    tries=0
    # s6-svscan starts the supervisors in its own time. One is ready when s6-svok says so.
    until s6-svok "$dir"; do
        tries=$((tries + 1))
        [ "$tries" -lt 500 ] || break
        [ "$tries" -ne 100 ] || s6-svscanctl -a "$scan"
        sleep 0.02
    done
done
rm -f $down_files
for dir in $all; do
    has_exited "$dir" && s6-svdt-clear "$dir" 2>/dev/null
    s6-svc -u "$dir" 2>/dev/null
done
answered=
wait_for -u -t 20000 $all
case $? in
0 | 99) answered=yes ;;
esac
# A program that rejects its arguments or its key exits within this second. s6 restarts it, so an "up" alone proves
# nothing. An empty death tally does.
s6-svwait -d -t 1000 $all 2>/dev/null
for dir in $all; do
    printf '%s ' "${dir##*/}"
    if has_exited "$dir"; then
        print_exit "$dir"
    else
        status="$(state "$dir" up,exitcode,signal)"
        # A service that is down and never exited has not started yet, or is about to start.
        case "$answered$status" in
        yes* | true*) echo "$status" ;;
        *) echo unclear ;;
        esac
    fi
done
exit 0
