# Turns the namespaces it starts in (as process 1) into a machine: an overlay over the host's root whose changes go to
# a tmpfs, fresh proc, sys, dev, run and tmp, and then the init that was asked for. What happens in it cannot reach the
# host: sysfs and /proc/sys are read-only, devices are the harmless six, the kernel's modules and clock are out of reach.
#
# usage: sh boot.sh CHECKOUT NODE plain|systemd [DISK]
set -eu
umask 022
checkout=$1
node=$2
init=$3
disk=$4

fail() {
	echo "machine: $*" >&2
	exit 1
}

# Relative paths: the options of overlay know no way to quote a comma or a colon that the checkout's path may have.
cd "$checkout/dist/machine"
mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root ||
	fail "the kernel makes no overlay over / (mount: above); it needs overlayfs, and / must not be two overlays deep already"
cd root

mount -t proc -o nosuid,nodev,noexec proc proc || fail "the kernel allows no fresh /proc here: parts of the present one are hidden, as in some containers"
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys
mount -t tmpfs -o mode=0755,nosuid tmpfs dev
mkdir dev/pts dev/shm dev/mqueue
for device in null zero full random urandom tty; do
	: >"dev/$device"
	mount --bind "/dev/$device" "dev/$device"
done
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,nosuid,noexec devpts dev/pts
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs dev/shm
mount -t mqueue -o nosuid,nodev,noexec mqueue dev/mqueue
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs run
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs tmp
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 sys/fs/cgroup 2>/dev/null ||
	[ "$init" = plain ] || fail "the kernel allows no cgroup2 here, which systemd needs"

# The overlay shows the root file system alone: a checkout (or a Node) on another one is brought in, read-only.
for path in "$checkout" "$(dirname "$(dirname "$node")")"; do
	if [ ! -e ".$path" ] || [ -z "$(ls -A ".$path")" ]; then
		mkdir -p ".$path"
		mount --bind "$path" ".$path"
		mount -o remount,bind,ro ".$path"
	fi
done
[ -e usr/bin/node ] || [ -e usr/local/bin/node ] || ln -s "$node" usr/local/bin/node
if [ -n "$disk" ]; then
	mount --bind "$disk" var/lib
fi

echo machine >proc/sys/kernel/hostname
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
# The host's disks are none of the machine's.
rm -f etc/fstab
mkdir run/host-root
pivot_root . run/host-root
umount -l /run/host-root
rmdir /run/host-root
cd /

echo booted
exec </dev/null >/dev/null 2>&1
caged() {
	exec setpriv --bounding-set=-sys_module,-sys_time --inh-caps=-sys_module,-sys_time \
		env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin "$@"
}
case $init in
systemd) caged container=other /usr/lib/systemd/systemd --unit=basic.target ;;
# A shell that waits reaps whatever is left without a parent, as process 1 has to.
plain) caged sh -c 'while :; do sleep 3600 & wait "$!"; done' ;;
esac
