/* See sibling.h. */
#include "sibling.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bounds.h"
#include "descriptor.h"
#include "dynuser.h"
#include "name_switch.h"

#define SWITCH_FILE "/etc/nsswitch.conf"
#define USER_DATABASE "/run/systemd/userdb/" DYNUSER_SERVICE
#define SYSTEMD_SERVICE "systemd"
#define SYSTEMD_MODULE "libnss_systemd.so.2"
/* The services that nss-systemd skips (systemd, docs/ENVIRONMENT.md); systemd-userdbd sets it when it asks NSS itself. */
#define BYPASS "SYSTEMD_BYPASS_USERDB"
#define BYPASSED_BY_USERDBD "io.systemd.NameServiceSwitch"
#define MODULE_PATH_MAX 4096

/* Whether a list with colons has the word. */
static bool has_word(const char *list, const char *word)
{
	for (;;) {
		list += strspn(list, ":");
		size_t length = strcspn(list, ":");

		if (length == 0)
			return false;
		if (length == strlen(word) && strncmp(list, word, length) == 0)
			return true;
		list += length;
	}
}

/* Whether the text of an nsswitch.conf names nss-systemd for the database. */
static bool names_systemd(const char *text, const char *database)
{
	const char *line = switch_services(text, database);
	struct switch_word word;

	while (line != NULL && switch_next(&line, &word)) {
		if (switch_is_service(&word, SYSTEMD_SERVICE))
			return true;
	}
	return false;
}

/* Returns whether the whole file is in the buffer, as text. */
static bool read_switch_file(char *buffer)
{
	/* O_NONBLOCK: a FIFO in its place must not block the program. */
	int file = open(SWITCH_FILE, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t length = file < 0 ? -1 : read_all(file, buffer, SWITCH_FILE_MAX + 1);

	close_quietly(file);
	if (length < 0 || (size_t)length > SWITCH_FILE_MAX)
		return false;
	buffer[length] = '\0';
	return strlen(buffer) == (size_t)length;
}

/* The entry of the user database may be of another instance, or of a daemon that has ended. */
static bool is_in_user_database(const char *runtime)
{
	char path[RUNTIME_DIRECTORY_MAX + sizeof("/" DYNUSER_SOCKET)];
	struct stat ours, theirs;

	(void)snprintf(path, sizeof(path), "%s/" DYNUSER_SOCKET, runtime);
	return stat(path, &ours) == 0 && stat(USER_DATABASE, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
	       ours.st_ino == theirs.st_ino;
}

/* nsswitch.conf may name a module that is not installed. All modules of a host lie in one directory. */
static bool is_installed(void)
{
	char path[MODULE_PATH_MAX];
	Dl_info own;

	if (dladdr(SYSTEMD_MODULE, &own) == 0 || own.dli_fname == NULL)
		return false;
	const char *slash = strrchr(own.dli_fname, '/');

	if (slash == NULL)
		return false;
	int written = snprintf(path, sizeof(path), "%.*s/" SYSTEMD_MODULE, (int)(slash - own.dli_fname), own.dli_fname);

	return written > 0 && written < MODULE_PATH_MAX && access(path, R_OK) == 0;
}

bool sibling_lists_us(const char *runtime, const char *database, char *buffer)
{
	const char *bypassed = secure_getenv(BYPASS);

	if (!is_in_user_database(runtime))
		return false;
	if (bypassed != NULL && has_word(bypassed, DYNUSER_SERVICE))
		return false;
	/* Whoever asks systemd-userdbd for all users gets those of our socket too. */
	if (bypassed != NULL && has_word(bypassed, BYPASSED_BY_USERDBD))
		return true;
	return read_switch_file(buffer) && names_systemd(buffer, database) && is_installed();
}
