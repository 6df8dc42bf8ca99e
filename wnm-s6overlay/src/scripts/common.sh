# The first argument says which numbers the user ant must have.
export PATH=/command:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
scan=/run/service
owner="$1"
shift

# Waits until the scanner answers. While a container starts, the scan directory is wiped, and what is written there
# is lost; nothing but the scanner's answer tells when that is over.
once_up() {
    looks=0
    until s6-svscanctl "$scan" 2>/dev/null; do
        looks=$((looks + 1))
        [ "$looks" -lt 300 ] || exit 90
        sleep 0.1
    done
}

# Waits until ant is who it should be: the one-shot that sees to it runs when the scanner does.
once_ant_is_the_owner() {
    looks=0
    while [ "$(id -u ant 2>/dev/null):$(id -g ant 2>/dev/null)" != "$owner" ]; do
        looks=$((looks + 1))
        [ "$looks" -lt 100 ] || exit 91
        sleep 0.1
    done
}

# Takes services down and waits until they are. Those that are not are left in $down.
take_down() {
    down=
    for name in "$@"; do
        [ -d "$scan/$name" ] || continue
        : >"$scan/$name/down"
        s6-svc -d "$scan/$name" 2>/dev/null
        case $? in
        # Without a supervisor nothing of it runs.
        100 | 102) ;;
        *) down="$down $scan/$name" ;;
        esac
    done
    if [ -z "$down" ] || wait_for -D -t 30000 $down; then
        down=
    fi
}

# Waits as s6-svwait does, and ends as it does. A supervisor that has just begun takes orders a moment before it says
# how it stands, and until then waiting for it fails at once: that is tried again.
wait_for() {
    tries=0
    while :; do
        s6-svwait "$@" 2>/dev/null
        waited=$?
        tries=$((tries + 1))
        case $waited in
        0 | 99) return "$waited" ;;
        esac
        [ "$tries" -lt 100 ] || return "$waited"
        sleep 0.1
    done
}

# Whether a service is up, with what else of it is asked for, or that s6 does not say. Without a supervisor nothing of
# it runs.
state() {
    s6-svstat -o "${2:-up}" "$1" 2>/dev/null
    case $? in
    0) ;;
    1) echo false ;;
    *) echo unclear ;;
    esac
}

# Prints every node's service and whether it is up. A process for each is what costs here, so those that should
# be up are asked about together first: as a rule they are.
look() {
    wanted=
    for dir in "$scan"/antnode*; do
        [ -d "$dir" ] || continue
        if [ -e "$dir/down" ]; then
            tell "$dir"
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
            tell "$dir"
        done
    fi
}

tell() {
    printf '%s ' "${1##*/}"
    state "$1"
}
