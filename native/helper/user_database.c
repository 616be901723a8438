/* See user_database.h. */
#include "user_database.h"

#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "dynuser.h"

#define SERVICES "/run/systemd/userdb"

/* Where systemd looks for records, of every version that there is. */
static const char *const records[] = {
	"/etc/userdb", "/run/userdb", "/run/host/userdb", "/usr/local/lib/userdb", "/usr/lib/userdb", "/lib/userdb",
};

/* Those who know no users of their own, or whose users the helper learns of by other means. */
static const char *const known[] = {
	"io.systemd.DynamicUser", DYNUSER_SERVICE,
	"io.systemd.DropIn",	  "io.systemd.Multiplexer",
	"io.systemd.NameServiceSwitch",
};

static bool is_known(const char *service)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(service, known[i]) == 0)
			return true;
	}
	return false;
}

static bool is_of_nobody(const char *entry)
{
	return strcmp(entry, ".") == 0 || strcmp(entry, "..") == 0;
}

/* Whether a directory is missing, or has nothing but what is expected. */
static bool has_only(const char *path, bool (*expected)(const char *entry))
{
	DIR *stream = opendir(path);
	struct dirent *entry;
	bool only = true;

	if (stream == NULL)
		return errno == ENOENT;
	errno = 0;
	while (only && (entry = readdir(stream)) != NULL)
		only = is_of_nobody(entry->d_name) || (expected != NULL && expected(entry->d_name));
	/* A failure looks like the end, but for this. */
	only = only && errno == 0;
	closedir(stream);
	return only;
}

bool user_database_has_manager_alone(void)
{
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		if (!has_only(records[i], NULL))
			return false;
	}
	return has_only(SERVICES, is_known);
}
