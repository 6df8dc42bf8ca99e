# Boots the system again and again until it is powered off. $1 is a directory for its files, the others are
# shown inside at the same paths. Runs in a mount namespace of its own; nothing of it is seen outside.
set -eu
work=$1
shift
mount -t tmpfs tmpfs "$work"
mkdir "$work/upper" "$work/work" "$work/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/work" "$work/root"
etc=$work/root/etc
units=$etc/systemd/system
: >"$etc/machine-id"
: >"$etc/fstab"
# A bare system: what the machine has installed besides systemd and its bus is not started.
rm -rf "$units"/*.wants
for unit in getty.target timers.target docker.socket ufw.service systemd-binfmt.service \
    systemd-modules-load.service systemd-remount-fs.service systemd-sysctl.service; do
    ln -sf /dev/null "$units/$unit"
done
printf '[Unit]\nRequires=basic.target dbus.socket\nAfter=basic.target dbus.socket\n' \
    >"$units/multi-user.target"
chroot "$work/root" /usr/sbin/useradd --system --uid 1501 ant
chroot "$work/root" /usr/sbin/useradd --uid 1500 --create-home ann
mkdir -p "$work/root/var/lib/systemd/linger"
: >"$work/root/var/lib/systemd/linger/ann"
while :; do
    status=0
    unshare --pid --fork --kill-child --mount --uts --ipc --cgroup --net sh -s "$work/root" "$@" <<'INNER' || status=$?
set -eu
cd "$1"
shift
ip link set lo up
mount -t proc proc proc
mount --rbind /dev dev
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
for shown in "$@"; do
    mkdir -p ".$shown"
    mount --bind "$shown" ".$shown"
done
# The kernel is the machine's and stays as it is.
for part in kernel vm fs; do
    mount --bind "proc/sys/$part" "proc/sys/$part"
    mount -o remount,ro,bind "proc/sys/$part"
done
# But each boot has a name of its own, as on a machine.
cat proc/sys/kernel/random/uuid >run/boot_id
mount --bind run/boot_id proc/sys/kernel/random/boot_id
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=unshare \
    chroot . /lib/systemd/systemd --unit=multi-user.target </dev/null
INNER
    # The kernel ends the first process of a namespace with HUP when it reboots, and with INT otherwise. Who takes
    # its power away says so.
    [ "$status" = 129 ] || rm "$work/../power-cut" 2>/dev/null || exit "$status"
done
