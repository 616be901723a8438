/* See probe/user_database.h. */
#include "user_database.h"

#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "dynuser.h"

#define SERVICES "/run/systemd/userdb"
/* The foreign UIDs of systemd 258 (docs/UIDS-GIDS.md), 0x7FFE0000 and above, and their names. */
#define FOREIGN_FIRST 2147352576U
#define FOREIGN_NAME "foreign-"

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

/* Which of the last three it is depends on how systemd was built. */
static const char *const made_up[] = { "root", "nobody", "nogroup", "nfsnobody" };

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

static bool has_manager_alone(void)
{
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		if (!has_only(records[i], NULL))
			return false;
	}
	return has_only(SERVICES, is_known);
}

bool user_database_may_have_name(const char *name)
{
	for (size_t i = 0; i < sizeof(made_up) / sizeof(made_up[0]); i++) {
		if (strcmp(name, made_up[i]) == 0)
			return true;
	}
	return strncmp(name, FOREIGN_NAME, strlen(FOREIGN_NAME)) == 0 || !has_manager_alone();
}

bool user_database_may_have_number(uint32_t number)
{
	return number == 0 || number == DYNUSER_UID_NOBODY || number >= FOREIGN_FIRST || !has_manager_alone();
}
