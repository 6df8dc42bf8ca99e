# The first argument is UID:GID, the ids that the user ant must have.
export PATH=/command:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
scan=/run/service
owner="$1"
shift

# Waits until s6-svscan answers. The start of a container wipes the scan directory and everything written to it
# before. Only an answer from s6-svscan shows that this is over.
wait_for_scanner() {
    tries=0
    until s6-svscanctl "$scan" 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt 300 ] || exit 90
        sleep 0.1
    done
}

# Waits until ant has the owner's ids. A one-shot sets them while s6-svscan already runs.
wait_for_owner_ids() {
    tries=0
    while [ "$(id -u ant 2>/dev/null):$(id -g ant 2>/dev/null)" != "$owner" ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || exit 91
        sleep 0.1
    done
}

# Brings services down and waits for that. Leaves those that may still be up in $not_down.
bring_down() {
    not_down=
    for name in "$@"; do
        [ -d "$scan/$name" ] || continue
        : >"$scan/$name/down"
        s6-svc -d "$scan/$name" 2>/dev/null
        case $? in
        # Without a supervisor, the service has no process.
        100 | 102) ;;
        *) not_down="$not_down $scan/$name" ;;
        esac
    done
    if [ -z "$not_down" ] || wait_for -D -t 30000 $not_down; then
        not_down=
    fi
}

# Runs s6-svwait and returns its exit code. A new supervisor accepts commands a moment before it publishes its
# status, and until then s6-svwait fails at once: retry.
wait_for() {
    attempts=0
    while :; do
        s6-svwait "$@" 2>/dev/null
        result=$?
        attempts=$((attempts + 1))
        case $result in
        0 | 99) return "$result" ;;
        esac
        [ "$attempts" -lt 100 ] || return "$result"
        sleep 0.1
    done
}

# Prints whether a service is up, or other fields of s6-svstat ($2), or "unclear" if s6 does not report a status.
# Without a supervisor, the service has no process.
state() {
    s6-svstat -o "${2:-up}" "$1" 2>/dev/null
    case $? in
    0) ;;
    1) echo false ;;
    *) echo unclear ;;
    esac
}

# Prints the name of every node's service and whether it is up. Processes are the main cost. So first check all
# services that should be up with one s6-svwait: usually all of them are.
print_all_states() {
    wanted=
    for dir in "$scan"/antnode*; do
        [ -d "$dir" ] || continue
        if [ -e "$dir/down" ]; then
            print_state "$dir"
        else
            wanted="$wanted $dir"
        fi
    done
    [ -n "$wanted" ] || return 0
    if s6-svwait -u -t 500 $wanted 2>/dev/null; then
        for dir in $wanted; do
            echo "${dir##*/} true"
        done
    else
        for dir in $wanted; do
            print_state "$dir"
        done
    fi
}

print_state() {
    printf '%s ' "${1##*/}"
    state "$1"
}
