# Keeps one disposable machine: makes what it stands on, starts it, and when its own standard input ends (the test
# stopped it, or died) ends it and takes everything away. Runs in a mount namespace of its own, so every mount it makes
# goes with it. Never writes outside the folder it is given, but for one group below cgroup2, and for a folder in /var/tmp
# if the machine is to have a disk.
#
# usage: sh supervise.sh CHECKOUT NODE plain|systemd none|disk SYSTEM stateless|none SHARED
set -eu
umask 022
checkout=$1
node=$2
init=$3
var_lib=$4
system=$5
stateless=$6
shared=$7
here=$checkout/test/support/machine
base=$checkout/dist/machine

# A fixed, empty folder is what the tmpfs of each machine is mounted on, each in its own namespace: nothing to remove.
mkdir -p "$base"
disk=
if [ "$var_lib" = disk ]; then
	disk=$(mktemp -d /var/tmp/dynuser-machine.XXXXXX)
	chmod 0755 "$disk"
fi
mount -t tmpfs -o mode=0755,size=2g machine "$base"
mkdir "$base/upper" "$base/work" "$base/root" "$base/cgroup"

# A cgroup of its own becomes the root of what the machine sees, so that what a systemd in it makes can be removed. An
# unprivileged machine may have none.
group=
if mount -t cgroup2 cgroup "$base/cgroup" 2>/dev/null; then
	group=$base/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)/dynuser-machine-$$
	mkdir "$group" 2>/dev/null || group=
fi

(
	if [ -n "$group" ]; then
		echo 0 >"$group/cgroup.procs"
	fi
	# The machine dies with unshare, and unshare with this shell, whatever kills it.
	exec setpriv --pdeathsig KILL unshare --pid --fork --kill-child=KILL --mount --uts --ipc --net --cgroup \
		sh "$here/boot.sh" "$checkout" "$node" "$init" "$system" "$stateless" "$disk" "$shared"
) &
machine=$!
echo "supervised $machine"

read -r _ || :
# Nobody may be left to read what this shell says from here on, and a word to nobody would end it (SIGPIPE).
exec >/dev/null 2>&1
# The end of process 1 is the end of all in its PID namespace, and unshare waits for it: after that nothing runs there.
# shellcheck disable=SC2046 # none or one number
kill -KILL $(cat "/proc/$machine/task/$machine/children") || :
wait "$machine" || :
if [ -n "$disk" ]; then
	rm -rf -- "$disk"
fi
if [ -n "$group" ]; then
	find "$group" -depth -type d -exec rmdir {} +
fi
