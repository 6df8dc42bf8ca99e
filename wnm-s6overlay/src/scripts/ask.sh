# A mark, two paths, and metrics ports. Prints both pages of each node, each followed by a line of the mark, what
# came of it and its address. Nobody else knows the mark, so no page can hold it.
mark="$1"
what="$2"
how="$3"
shift 3
pages="$(mktemp -d /dev/shm/wnm.XXXXXX 2>/dev/null || mktemp -d)" || exit 1
trap 'rm -rf "$pages"' EXIT
# A few at a time: one after the other would wait for each that hangs, and curl's own way of asking many at once
# waits for seconds.
lanes=16
lane=0
while [ "$lane" -lt "$lanes" ]; do
    place=0
    urls=
    for port in "$@"; do
        if [ $((place % lanes)) -eq "$lane" ]; then
            urls="$urls http://127.0.0.1:$port$what http://127.0.0.1:$port$how"
        fi
        place=$((place + 1))
    done
    if [ -n "$urls" ]; then
        timeout 12 curl -s -g --noproxy '*' --connect-timeout 2 --max-time 4 --max-filesize 1048576 \
            -w "\n$mark %{http_code} %{exitcode} %{url_effective}\n" $urls >"$pages/$lane" 2>/dev/null &
    fi
    lane=$((lane + 1))
done
wait
cat "$pages"/*
exit 0
