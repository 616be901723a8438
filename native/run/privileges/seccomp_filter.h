/*
 * Owns the seccomp filter of the service, which has two parts, for every ABI of the processor.
 *
 * FILTER_SPECIAL_FILES (RestrictSUIDSGID=): no file becomes setuid or setgid. chmod, mkdir, mknod and open with such a mode
 * fail with EPERM. openat2(2) is answered as by a kernel that does not have it (ENOSYS), since its mode is in memory, where a
 * filter cannot look; programs then use openat(2). That is what systemd does. Not covered, as with systemd: io_uring(7), which
 * makes its calls past every filter.
 *
 * FILTER_TERMINAL: nothing is typed into the terminal that the service shares with whoever started it. ioctl(2) with TIOCSTI,
 * and with TIOCLINUX (which pastes on a virtual console), fails with EPERM.
 */
#ifndef RUN_SECCOMP_FILTER_H
#define RUN_SECCOMP_FILTER_H

#include <linux/filter.h>
#include <stddef.h>

/* More than all ABIs of one processor need. */
#define FILTER_LENGTH_MAX 384U

/* Parts of the filter: a set of them is their sum. */
#define FILTER_SPECIAL_FILES 1U
#define FILTER_TERMINAL 2U

/* Writes the program for a set that is not empty; returns its length. 0: there is none for this processor. */
size_t seccomp_filter_write(struct sock_filter program[FILTER_LENGTH_MAX], unsigned int parts);

/*
 * Puts this process below the filter; an empty set needs none. Needs CAP_SYS_ADMIN or no_new_privs. Ends the process if that
 * cannot be done, but for FILTER_TERMINAL alone in a process without a controlling terminal, which has nothing to type into.
 */
void seccomp_filter_install(unsigned int parts);

#endif
