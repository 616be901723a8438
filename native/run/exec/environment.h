/* The service's environment: variables of the launcher, those that the plan sets, without those that it removes. */
#ifndef RUN_ENVIRONMENT_H
#define RUN_ENVIRONMENT_H

#include "protocol/plan.h"

/* If the service's environment has no PATH: systemd's default for units (systemd.exec(5)), and the older directories. */
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/*
 * The variables, ended by a null pointer; those of sd_listen_fds(3) are inherited if sockets were passed. Ends the launcher if there is no
 * memory.
 */
char **environment_make(const struct plan *plan, unsigned int sockets);

/* A copy with a variable (NAME=VALUE) of the launcher's own making, unless UnsetEnvironment= names it. */
char **environment_with(const struct plan *plan, char *const *environment, char *variable);

/* Takes the variables of sd_listen_fds(3) away, in place. */
char **environment_without_sockets(char **environment);

/* The value of a variable; null if there is none. */
const char *environment_value(char *const *environment, const char *name);

#endif
