/* See environment.h. */
#include "environment.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Names, or, with "*" at the end, prefixes of names. */
static const char *const kept[] = {
	/* the daemon's, and its clients' */
	"DYNUSER_*", "DBUS_SYSTEM_BUS_ADDRESS",
	/* sd_listen_fds(3), sd_notify(3), systemd.exec(5): whom the manager means, and what it stores */
	"LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET",
	"SYSTEMD_EXEC_PID", "FDSTORE",
	/* of a terminal and its user: dynuserctl's columns, colours and times */
	"TERM", "NO_COLOR", "TZ", "LANG", "LC_*",
	"PATH",
};

static bool is_kept(const char *variable)
{
	size_t length = strcspn(variable, "=");

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		size_t known = strlen(kept[i]);

		if (kept[i][known - 1] == '*' ? length >= known && strncmp(variable, kept[i], known - 1) == 0 :
						length == known && strncmp(variable, kept[i], known) == 0)
			return true;
	}
	return false;
}

char **keep_environment(char *const *environment)
{
	size_t count = 0;

	while (environment[count] != NULL)
		count++;
	char **result = calloc(count + 1, sizeof(*result));

	if (result == NULL)
		return NULL;
	count = 0;
	for (char *const *variable = environment; *variable != NULL; variable++) {
		if (is_kept(*variable))
			result[count++] = *variable;
	}
	return result;
}
