/*
 * The links: <runtime>/by-uid/<uid> leads to the name, <runtime>/by-name/<name> to the number. One readlink(2) is the answer: no daemon
 * is asked, and no reader sees a state between two answers. A second one, <runtime>/holders/<uid>, names the process that the user lasts
 * as long as, if there is one. Whoever waited for that process may know of its end before the daemon does: so if it is gone, the daemon is
 * asked to look, and the link is read once more. See lookup.h.
 */
#include "lookup.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bounds.h"
#include "caller.h"
#include "fleet.h"

/* Runtime directory, slash, "by-name", slash, name, NUL. */
#define PATH_BYTES (RUNTIME_DIRECTORY_MAX + sizeof("/" DYNUSER_BY_NAME "/") + DYNUSER_NAME_MAX)
/* One byte more than the longest valid text, so that a longer one is noticed. */
#define TEXT_BYTES (DYNUSER_NAME_MAX + 1U)

/* A PID, a space, and the inode of a PID namespace. */
#define HOLDER_BYTES 48U

/* It does not matter why a link could not be read, only whether the directory of links is visible. */
static int error_of_missing(const char *runtime)
{
	char path[PATH_BYTES];

	(void)snprintf(path, sizeof(path), "%s/" DYNUSER_BY_UID, runtime);
	return access(path, F_OK) == 0 ? ENOENT : ENODATA;
}

/* 0; ENOENT: no such link, or a malformed one; ENODATA: no links are visible, as in a chroot that has only the socket. */
static int read_link(const char *runtime, const struct query *query, struct identity *who)
{
	char path[PATH_BYTES], text[TEXT_BYTES + 1];
	uid_t uid = query->uid;
	ssize_t length;

	if (query->name == NULL)
		(void)snprintf(path, sizeof(path), "%s/" DYNUSER_BY_UID "/%u", runtime, (unsigned int)uid);
	else
		(void)snprintf(path, sizeof(path), "%s/" DYNUSER_BY_NAME "/%s", runtime, query->name);
	length = readlink(path, text, TEXT_BYTES);
	if (length < 0)
		return error_of_missing(runtime);
	text[length] = '\0';
	if (query->name == NULL ? !name_is_possible(text) : !uid_from_text(text, (size_t)length, &uid))
		return ENOENT;
	*who = identity_of(uid, query->name == NULL ? text : query->name);
	return 0;
}

enum holder { HOLDER_NONE, HOLDER_RUNS, HOLDER_SEEMS_OVER };

/*
 * What is known of the process that the user lasts as long as. It seems to be over if its number is nobody's, though its PID namespace
 * is ours. It is asked for by getpgid(2), which security modules do not take for a signal as they do kill(2), which finds what hidepid=
 * (proc(5)) hides, and which is in the narrowest groups of system calls that sandboxes allow. A refusal does not mean that it has ended.
 */
static enum holder holder_of(const char *runtime, uid_t uid)
{
	char path[PATH_BYTES], holder[HOLDER_BYTES + 1];
	unsigned long pid;
	char *end;
	struct stat ours;
	ssize_t length;

	(void)snprintf(path, sizeof(path), "%s/" DYNUSER_HOLDERS "/%u", runtime, (unsigned int)uid);
	length = readlink(path, holder, HOLDER_BYTES);
	if (length <= 0)
		return HOLDER_NONE;
	holder[length] = '\0';

	pid = strtoul(holder, &end, 10);
	if (pid == 0 || pid > INT_MAX || *end != ' ')
		return HOLDER_RUNS;
	if (getpgid((pid_t)pid) >= 0 || errno != ESRCH || stat("/proc/self/ns/pid", &ours) != 0)
		return HOLDER_RUNS;
	return strtoull(end, NULL, 10) == ours.st_ino ? HOLDER_SEEMS_OVER : HOLDER_RUNS;
}

/*
 * Reads a link that was there once more, unless the process that its user lasts as long as runs. If that has ended, the daemon may not have
 * seen it yet, and is asked first. If no link names a process, either the user has none, or the daemon has just removed that link: it
 * removes the links of the user before (src/registry/store.ts, unpublish).
 */
static int confirm_link(const char *runtime, const struct query *query, struct identity *who)
{
	enum holder holder = holder_of(runtime, who->uid);

	if (holder == HOLDER_RUNS)
		return 0;
	if (holder == HOLDER_SEEMS_OVER)
		(void)userdb_find(runtime, query, NUDGE_WAIT_MS, who);
	return read_link(runtime, query, who);
}

int lookup(const struct query *query, struct identity *who)
{
	bool is_possible = query->name == NULL ? uid_is_possible(query->uid) : name_is_possible(query->name);

	if (!is_possible || caller_bypasses())
		return ENOENT;
	const char *runtime = caller_runtime_directory();
	struct caller caller = caller_enter();
	int error = caller_forces_varlink() ? ENODATA : read_link(runtime, query, who);

	if (error == 0)
		error = confirm_link(runtime, query, who);
	if (error == ENODATA)
		error = userdb_find(runtime, query, LOOKUP_WAIT_MS, who);
	/* Last: to look up a user of this host costs nothing more. */
	if (error == ENOENT && !caller_forces_varlink())
		error = fleet_find(runtime, query, who);
	caller_leave(&caller);
	return error;
}
