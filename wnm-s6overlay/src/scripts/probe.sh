# Arguments: a marker, two paths, and metrics ports. Prints both pages of each node. After each page follows a line
# with the marker, the HTTP status, curl's exit code and the URL. The marker is random, so no page can contain it.
marker="$1"
metadata="$2"
metrics="$3"
shift 3
pages="$(mktemp -d /dev/shm/wnm.XXXXXX 2>/dev/null || mktemp -d)" || exit 1
trap 'rm -rf "$pages"' EXIT
# Run a few curls in parallel: a single one would wait for each node that hangs, and curl's own parallel mode adds
# seconds of delay.
lanes=16
lane=0
while [ "$lane" -lt "$lanes" ]; do
    index=0
    urls=
    for port in "$@"; do
        if [ $((index % lanes)) -eq "$lane" ]; then
            urls="$urls http://127.0.0.1:$port$metadata http://127.0.0.1:$port$metrics"
        fi
        index=$((index + 1))
    done
    if [ -n "$urls" ]; then
        timeout 12 curl -s -g --noproxy '*' --connect-timeout 2 --max-time 4 --max-filesize 1048576 \
            -w "\n$marker %{http_code} %{exitcode} %{url_effective}\n" $urls >"$pages/$lane" 2>/dev/null &
    fi
    lane=$((lane + 1))
done
wait
cat "$pages"/*
exit 0
