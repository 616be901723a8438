/*
 * The switch is an environment variable that nss-systemd reads at every lookup (systemd's docs/ENVIRONMENT.md). It is set
 * by one byte of a string that stays where it is: setenv(3) would move what a thread of another module may be reading.
 */
#include "pid1_lookup.h"

#include <stdlib.h>
#include <sys/stat.h>

static char variable[] = "SYSTEMD_NSS_DYNAMIC_BYPASS=0";

bool pid1_lookup_prepare(void)
{
	return putenv(variable) == 0;
}

void pid1_lookup_enable(bool ask)
{
	variable[sizeof(variable) - 2] = ask ? '0' : '1';
}

bool pid1_locks_tell(const char *locks, const char *socket)
{
	struct stat locks_status, socket_status;

	return stat(locks, &locks_status) == 0 && stat(socket, &socket_status) == 0 &&
	       locks_status.st_dev == socket_status.st_dev;
}
