set -x
dynuser-run --untrusted sh -c 'id; env; ls /proc | head -3; ls /sys/class/net; ls -la /run /dev /dev/shm; ls /home /root; cat /proc/self/mountinfo | cut -d" " -f5,6,9- ; cat /proc/self/status | grep -i cap; ps aux | head; ls /proc/sys; touch /dev/shm/x && ls -l /dev/shm; perl -MIO::Socket -e "IO::Socket::INET->new(PeerAddr=>q(127.0.0.1:1)) or print qq($!\n)"; ipcs'
printf 'b\na\nb\n' | dynuser-run --untrusted sort -u
SECRET=1 LC_ALL=C.UTF-8 TERM=xterm dynuser-run --untrusted -E A=1 -p Environment=B=2 env
dynuser-run --untrusted -p DynamicUser=no true
dynuser-run --untrusted --uid=root true
dynuser-run --untrusted -p PrivateNetwork=no -p ProcSubset=all sh -c 'ls /proc/sys | head -2; cat /proc/net/dev'
setpriv --bounding-set=-sys_admin dynuser-run --untrusted --isolation=best-effort true
dynuser-run --untrusted -p StateDirectory=ut sh -c 'echo x >$STATE_DIRECTORY/f; ls -la $STATE_DIRECTORY/; id'
dynuser-run --untrusted --explain true | head -50
