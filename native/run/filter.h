/*
 * Owns the seccomp filter of RestrictSUIDSGID=: no file becomes setuid or setgid. chmod, mkdir, mknod and open with such a mode
 * fail with EPERM, whichever ABI of the processor makes the call. openat2(2) is answered as by a kernel that does not have
 * it (ENOSYS), since its mode is in memory, where a filter cannot look; programs then use openat(2). That is what
 * systemd does. Not covered, as with systemd: io_uring(7), which makes its calls past every filter.
 */
#ifndef RUN_FILTER_H
#define RUN_FILTER_H

#include <linux/filter.h>
#include <stddef.h>

/* More than all ABIs of one processor need. */
#define FILTER_LENGTH_MAX 320U

/* Writes the program; returns its length. 0: there is none for this processor. */
size_t filter_write(struct sock_filter program[FILTER_LENGTH_MAX]);

/* Puts this process below the filter. Needs CAP_SYS_ADMIN or no_new_privs. Ends the process where it cannot be done. */
void filter_install(void);

#endif
