# The command of the container is told by its arguments: nothing that wnm runs in there sleeps for ever.
for dir in /proc/[0-9]*; do
    if [ "$(tr '\0' ' ' <"$dir/cmdline" 2>/dev/null)" = "sleep infinity " ]; then
        kill -HUP "${dir##*/}"
    fi
done
exit 0
