# Sends HUP to the container's command, which ends the container. The script finds the command by its arguments:
# nothing else that wnm runs in a container sleeps forever.
for dir in /proc/[0-9]*; do
    if [ "$(tr '\0' ' ' <"$dir/cmdline" 2>/dev/null)" = "sleep infinity " ]; then
        kill -HUP "${dir##*/}"
    fi
done
exit 0
