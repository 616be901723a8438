/*
 * The functions of the module, which glibc finds by name with dlsym(3) (the GNU C Library manual, "The Interface of the Function in NSS
 * Modules"): getpwnam(3), getgrnam(3), getspnam(3) and their kin. The status that they return:
 *   SUCCESS   found, and packed
 *   NOTFOUND  no such user, or no daemon
 *   TRYAGAIN  *error_number is ERANGE: the buffer is too small; nothing was consumed
 *   UNAVAIL   *error_number says why: the daemon hangs or answers nonsense
 * *error_number is set only with the last two: callers pass &errno, which is otherwise left alone.
 */
#include <errno.h>
#include <grp.h>
#include <gshadow.h>
#include <nss.h>
#include <pwd.h>
#include <shadow.h>
#include <stdlib.h>

#include "caller.h"
#include "enumeration.h"
#include "lookup.h"
#include "memberships.h"
#include "packing.h"

/* One of the symbols of libnss_dynuser.map, which hides all others; no header has its prototype. */
#define ENTRY_POINT(name, ...) \
	enum nss_status _nss_dynuser_##name(__VA_ARGS__); \
	__attribute__((visibility("default"))) enum nss_status _nss_dynuser_##name(__VA_ARGS__)

static enum nss_status status_of(int error, const struct destination *destination)
{
	if (error == 0)
		return NSS_STATUS_SUCCESS;
	if (error == ENOENT)
		return NSS_STATUS_NOTFOUND;
	*destination->error_number = error;
	return error == ERANGE ? NSS_STATUS_TRYAGAIN : NSS_STATUS_UNAVAIL;
}

static enum nss_status answer(struct query query, const struct destination *destination)
{
	struct identity who;
	int error = lookup(&query, &who);

	if (error == 0)
		error = destination->pack(&who, destination);
	return status_of(error, destination);
}

static enum nss_status reset(struct enumeration *enumeration)
{
	return enumeration_reset(enumeration) ? NSS_STATUS_SUCCESS : NSS_STATUS_TRYAGAIN;
}

/*
 * What every database has: its record by name, and the list of all. The shadow databases are for root alone. The name is checked before
 * the UID: a name that cannot be ours costs no system call, not even geteuid(2).
 */
#define DATABASE(xx, database_name, record_kind, record, for_root) \
	static struct enumeration all_##xx = { .database = #database_name, .kind = record_kind }; \
\
	ENTRY_POINT(get##xx##nam_r, const char *name, struct record *result, char *buffer, size_t size, \
		    int *error_number) \
	{ \
		const struct destination destination = { pack_##database_name, result, buffer, size, error_number }; \
\
		if ((for_root) && (!name_is_possible(name) || !caller_is_root())) \
			return NSS_STATUS_NOTFOUND; \
		return answer((struct query){ .kind = record_kind, .name = name == NULL ? "" : name }, &destination); \
	} \
\
	ENTRY_POINT(set##xx##ent, int stay_open) \
	{ \
		(void)stay_open; \
		return reset(&all_##xx); \
	} \
\
	ENTRY_POINT(get##xx##ent_r, struct record *result, char *buffer, size_t size, int *error_number) \
	{ \
		const struct destination destination = { pack_##database_name, result, buffer, size, error_number }; \
\
		if ((for_root) && !caller_is_root()) \
			return NSS_STATUS_NOTFOUND; \
		return status_of(enumeration_next(&all_##xx, &destination), &destination); \
	} \
\
	ENTRY_POINT(end##xx##ent, void) \
	{ \
		return reset(&all_##xx); \
	}

DATABASE(pw, passwd, RECORD_USER, passwd, false)
DATABASE(gr, group, RECORD_GROUP, group, false)
DATABASE(sp, shadow, RECORD_USER, spwd, true)
DATABASE(sg, gshadow, RECORD_GROUP, sgrp, true)

ENTRY_POINT(getpwuid_r, uid_t uid, struct passwd *result, char *buffer, size_t size, int *error_number)
{
	const struct destination destination = { pack_passwd, result, buffer, size, error_number };

	return answer((struct query){ .kind = RECORD_USER, .uid = uid }, &destination);
}

ENTRY_POINT(getgrgid_r, gid_t gid, struct group *result, char *buffer, size_t size, int *error_number)
{
	const struct destination destination = { pack_group, result, buffer, size, error_number };

	return answer((struct query){ .kind = RECORD_GROUP, .uid = gid }, &destination);
}

/* Room for one number more in the array of initgroups_dyn, which is malloc(3)'s: 0, ENOMEM, or ERANGE if the caller wants no more. */
static int make_room(long start, long *size, gid_t **groups, long limit)
{
	long wanted = *size > 0 ? 2 * *size : 1;
	gid_t *grown;

	if (start < *size)
		return 0;
	if (limit > 0 && *size >= limit)
		return ERANGE;
	if (limit > 0 && wanted > limit)
		wanted = limit;
	grown = realloc(*groups, (size_t)wanted * sizeof(**groups));
	if (grown == NULL)
		return ENOMEM;
	*groups = grown;
	*size = wanted;
	return 0;
}

/*
 * The supplementary groups of a user (getgrouplist(3)): the shared groups that it is in. NOTFOUND if there are none. glibc asks the next
 * service in both cases, so what an administrator has made that name a member of elsewhere counts too.
 */
ENTRY_POINT(initgroups_dyn, const char *user, gid_t group, long *start, long *size, gid_t **groups, long limit,
	    int *error_number)
{
	gid_t gids[GROUPS_MAX];
	size_t count = groups_of(user, gids);
	enum nss_status status = NSS_STATUS_NOTFOUND;

	for (size_t i = 0; i < count; i++) {
		int error;

		if (gids[i] == group)
			continue;
		error = make_room(*start, size, groups, limit);
		if (error == ERANGE)
			break;
		if (error != 0) {
			*error_number = error;
			return NSS_STATUS_TRYAGAIN;
		}
		(*groups)[(*start)++] = gids[i];
		status = NSS_STATUS_SUCCESS;
	}
	return status;
}
