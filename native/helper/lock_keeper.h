/*
 * Owns the lock keeper: a process that holds duplicates of the daemon's lock files, so that the locks, which belong to the
 * open file descriptions (flock(2)), outlive the daemon. It is for hosts whose service manager has no descriptor store
 * (sd_notify(3), FDSTORE=1), and its messages are those of that store.
 *
 * It listens on a SOCK_SEQPACKET socket and serves one connection, that of the last daemon that connected. To a new one it
 * sends each descriptor with the message "NAME", and then "END" without one. From then on it takes
 *
 *   FDSTORE=1 LF FDNAME=NAME LF           with one descriptor, which replaces one of the same name
 *   FDSTOREREMOVE=1 LF FDNAME=NAME LF     lets go of it
 *
 * NAME is "uid-" and a decimal number. Only processes of its own user are served. It ends when it holds nothing and nobody is
 * connected, and when its socket is no longer at the path, so that `rm -r /run/dynuser` leaves no process behind.
 */
#ifndef DYNUSER_HELPER_LOCK_KEEPER_H
#define DYNUSER_HELPER_LOCK_KEEPER_H

/* The connection that the daemon that starts it passes on. */
#define KEEPER_CONNECTION 3
/* Locks that are held at most: LOCKS_KEPT_MAX of src/host/systemd/lock-store.ts. */
#define KEEPER_LOCKS_MAX 8192
/* How often it looks whether its socket is still at the path while nobody is connected, in milliseconds. */
#define KEEPER_LOOK_MS 2000
/* How long a daemon may take to read, in milliseconds. */
#define KEEPER_SEND_MS 5000
/* The longest message has 2 lines of less than 32 bytes. */
#define KEEPER_MESSAGE_MAX 128

/* Serves until it ends; returns the exit status. argv is the path of the socket. */
int lock_keeper_main(int argc, char **argv);

#endif
