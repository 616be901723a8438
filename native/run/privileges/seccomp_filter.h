/*
 * Owns the installation of the service's seccomp filter, which the daemon has made (src/launch/filter/): here it is a program that is
 * taken as it is.
 */
#ifndef RUN_SECCOMP_FILTER_H
#define RUN_SECCOMP_FILTER_H

#include <linux/filter.h>
#include <stddef.h>

#include "protocol/plan.h"

/* As many as the kernel takes (BPF_MAXINSNS). */
#define FILTER_LENGTH_MAX 4096U

/* Decodes a program of the plan; returns its length. 0: it cannot be read. */
size_t seccomp_filter_read(const char *text, struct sock_filter program[FILTER_LENGTH_MAX]);

/*
 * Puts this process below the plan's filter, if it has one: afterwards it can only do what the service may do, so this is the last step
 * before execve(2). Needs CAP_SYS_ADMIN or no_new_privs, and sets the latter if it has neither, as systemd does. A filter that is for
 * the terminal alone sets nothing: without a controlling terminal it is not needed. Ends the process if it cannot be installed.
 */
void seccomp_filter_install(const struct plan *plan);

#endif
