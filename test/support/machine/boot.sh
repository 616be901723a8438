# Turns the namespaces it starts in (as process 1) into a machine: overlays over the files of a system (the host's are below /) whose
# changes go to a tmpfs, fresh proc, sys, dev, run and tmp, and then the init that was asked for. What happens in it cannot reach the
# host: sysfs and /proc/sys are read-only, devices are the harmless six, the kernel's modules and clock are out of reach.
#
# A stateless machine has an empty /etc and /var, and a /usr that nothing can be written to.
#
# usage: sh boot.sh CHECKOUT NODE plain|systemd SYSTEM stateless|none DISK SHARED
set -eu
umask 022
checkout=$1
node=$2
init=$3
system=${4%/}
stateless=$5
disk=$6
shared=$7
# What listens for "booted" learns at once that it will not come; the exec at the end drops this.
trap 'echo failed' EXIT

fail() {
	echo "machine: $*" >&2
	exit 1
}

# Relative paths: the options of overlay know no way to quote a comma or a colon that the checkout's path may have.
cd "$checkout/dist/machine"
mount -t tmpfs -o mode=0755 root root

# What is staged goes into these. Made in the upper layer they belong to whoever starts the machine; without root the
# host's own belong to a user that the machine does not have, and could not be written to.
multiarch=$(gcc -print-multiarch)
set --
for directory in etc usr usr/bin usr/sbin usr/lib usr/lib64 "usr/lib/$multiarch" usr/lib/systemd usr/lib/systemd/system usr/lib/systemd/catalog \
	usr/lib/tmpfiles.d usr/share usr/share/doc usr/share/dbus-1 usr/share/dbus-1/system.d usr/share/dbus-1/system-services \
	usr/share/man usr/share/man/man1 usr/share/man/man5 usr/share/man/man8 \
	usr/share/bash-completion usr/share/bash-completion/completions usr/share/fish usr/share/fish/vendor_completions.d \
	usr/share/zsh usr/share/zsh/vendor-completions; do
	[ ! -d "$system/$directory" ] || [ -L "$system/$directory" ] || set -- "$@" "upper/$directory"
done
mkdir -p "$@"

# One overlay for each directory of / instead of one for all: a file system with others mounted below it cannot be the
# lower layer of a user without root. A directory that cannot be one is shown read-only. Few programs are started for it: hundreds of
# machines are made in a run of the tests.
is_fresh() {
	case $stateless:$1 in
	*:dev | *:proc | *:run | *:sys | *:tmp | stateless:etc | stateless:var) ;;
	*) return 1 ;;
	esac
}
set --
for entry in "$system"/* "$system"/.[!.]*; do
	name=${entry#"$system"/}
	if [ ! -L "$entry" ] && [ -d "$entry" ]; then
		set -- "$@" "root/$name"
		is_fresh "$name" || set -- "$@" "upper/$name" "work/$name"
	fi
done
mkdir -p "$@"
# mount(8) makes all of a list at once: to start it for each takes longer than to mount. What the list has no way to quote, and what the
# kernel refuses, such as an overlay over what others have mounted there, is made one by one.
one_by_one=no
: >overlays
set --
unusual="/$(find "$system/" -mindepth 1 -maxdepth 1 -type d ! -perm 0755 -printf '%f/')"
for entry in "$system"/* "$system"/.[!.]*; do
	name=${entry#"$system"/}
	if [ -L "$entry" ]; then
		set -- "$@" "$entry"
	elif [ "$stateless:$name" = stateless:usr ]; then
		mount --bind "$entry" "root/$name"
		mount -o remount,bind,ro "root/$name"
	elif [ -d "$entry" ] && ! is_fresh "$name"; then
		case $unusual in
		*"/$name/"*) chmod --reference="$entry" "upper/$name" ;;
		esac
		case $entry in
		*[!A-Za-z0-9/._+-]*) one_by_one=yes ;;
		*) echo "overlay root/$name overlay lowerdir=$entry,upperdir=upper/$name,workdir=work/$name" >>overlays ;;
		esac
	fi
done
[ $# -eq 0 ] || cp -P "$@" root
mount -a -T overlays 2>/dev/null || one_by_one=yes
if [ "$one_by_one" = yes ]; then
	for entry in "$system"/* "$system"/.[!.]*; do
		name=${entry#"$system"/}
		if [ ! -L "$entry" ] && [ -d "$entry" ] && ! is_fresh "$name" && ! mountpoint -q "root/$name"; then
			mount -t overlay overlay -o "lowerdir=$entry,upperdir=upper/$name,workdir=work/$name" "root/$name" 2>/dev/null ||
				mount --rbind -o ro "$entry" "root/$name" 2>/dev/null || rmdir "root/$name"
		fi
	done
fi
case $stateless$(stat -f -c %T root/usr)$(stat -f -c %T root/etc) in
stateless* | noneoverlayfsoverlayfs) ;;
*) fail "the kernel makes no overlay over /usr and /etc here: it needs overlayfs, and they must not be two overlays deep already" ;;
esac
cd root
# As on a host that is in use: a systemd that finds /usr newer than this brings caches up to date, at each boot.
[ "$init:$stateless" != systemd:none ] || touch etc/.updated var/.updated

mount -t proc -o nosuid,nodev,noexec proc proc || fail "the kernel allows no fresh /proc here: parts of the present one are hidden, as in some containers"
cat >../mounts <<EOT
sysfs sys sysfs ro,nosuid,nodev,noexec
tmpfs dev tmpfs mode=0755,nosuid
tmpfs run tmpfs mode=0755,nosuid,nodev
tmpfs tmp tmpfs mode=1777,nosuid,nodev
devpts dev/pts devpts X-mount.mkdir,newinstance,ptmxmode=0666,mode=0620,nosuid,noexec
tmpfs dev/shm tmpfs X-mount.mkdir,mode=1777,nosuid,nodev
mqueue dev/mqueue mqueue X-mount.mkdir,nosuid,nodev,noexec
EOT
mount -a -T ../mounts
for device in null zero full random urandom tty; do
	: >"dev/$device"
	echo "/dev/$device dev/$device none bind"
done >../devices
mount -a -T ../devices
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 sys/fs/cgroup 2>/dev/null ||
	[ "$init" = plain ] || fail "the kernel allows no cgroup2 here, which systemd needs"

# The overlay shows the root file system alone: a checkout (or a Node) on another one is brought in, read-only.
for path in "$checkout" "$(dirname "$(dirname "$node")")"; do
	top=${path#/}
	if [ "$(stat -c %d "$path")" != "$(stat -c %d "/${top%%/*}")" ] || [ ! -e ".$path" ] || [ -z "$(ls -A ".$path")" ]; then
		mkdir -p ".$path"
		mount --bind "$path" ".$path"
		mount -o remount,bind,ro ".$path"
	fi
done
# Tests run programs of both as other users, who may not enter where they are, such as /root: in the machine they may.
for path in "$checkout" "$(dirname "$node")"; do
	while [ -n "$path" ]; do
		chmod a+rx ".$path" 2>/dev/null || :
		path=${path%/*}
	done
done
[ -e usr/bin/node ] || [ -e usr/local/bin/node ] || ln -s "$node" usr/local/bin/node
if [ -n "$disk" ]; then
	mount --bind "$disk" var/lib
fi
if [ -n "$shared" ]; then
	mkdir -p srv/shared
	mount --bind "$shared" srv/shared
fi

hostname machine
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
# The machine mounts none of the host's disks.
rm -f etc/fstab
# By this a test makes sure, before it changes anything, that what it runs is run in here.
: >run/disposable-machine
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
