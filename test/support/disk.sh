# shellcheck shell=sh
# Runs a command that needs a disk in /var/tmp: a file system on which mounts can be id-mapped. If it is not one, as on the overlayfs of
# a container, root gets one: ext4 in a file, mounted on /var/tmp in a mount namespace that the command and its children have to
# themselves, and gone with the last of them.
#
# usage: sh disk.sh COMMAND [ARGUMENT]...
set -eu
umask 022
# Sparse: it takes what is written to it.
SIZE=6G
# How long making it may take, in seconds.
WAIT=60

case $(stat -f -c %T /var/tmp) in
ext2/ext3 | xfs | btrfs | f2fs | tmpfs) exec "$@" ;;
esac
[ "$(id -u)" -eq 0 ] || exec "$@"

# shellcheck disable=SC2016 # for the shell in the namespace
exec unshare --mount --propagation private sh -c '
	set -eu
	why=$(
		exec 2>&1
		image=$(mktemp /var/tmp/dynuser-disk.XXXXXX) || exit
		# It is in use until the mount is gone, and has no name from here on, whatever happens.
		exec 3<>"$image"
		rm -f "$image"
		truncate -s "$1" /proc/self/fd/3 &&
			timeout "$2" mkfs.ext4 -q -F -m 0 -O ^has_journal /proc/self/fd/3 &&
			timeout "$2" mount -o loop /proc/self/fd/3 /var/tmp &&
			chmod 1777 /var/tmp
	) || {
		echo "test: /var/tmp is on $(stat -f -c %T /var/tmp), where no mount can be id-mapped, and no disk can be mounted there: $why; allow loop devices and install e2fsprogs, or put /var/tmp on a disk: tests of mapped trees are skipped" >&2
	}
	shift 2
	exec "$@"' sh "$SIZE" "$WAIT" "$@"
