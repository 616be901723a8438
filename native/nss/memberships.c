/* See memberships.h. */
#include "memberships.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "caller.h"
#include "userdb.h"

/* Runtime directory, slash, "members", slash, a name or a number, NUL. */
#define PATH_BYTES (RUNTIME_DIRECTORY_MAX + sizeof("/" DYNUSER_MEMBERS "/") + DYNUSER_NAME_MAX)
/* The digits of a number, and a comma or the NUL. */
#define NUMBER_BYTES 11U

/*
 * Reads the text of a link, NUL-terminated; it is empty if there is no such link, and may be cut if *length is size - 1. False: no links
 * are visible, as in a chroot that has only the socket.
 */
static bool read_list(const char *runtime, const char *directory, const char *entry, char *text, size_t size,
		      size_t *length)
{
	char path[PATH_BYTES];
	ssize_t read;

	(void)snprintf(path, sizeof(path), "%s/%s/%s", runtime, directory, entry);
	read = readlink(path, text, size - 1);
	*length = read < 0 ? 0 : (size_t)read;
	text[*length] = '\0';
	if (read >= 0)
		return true;
	(void)snprintf(path, sizeof(path), "%s/%s", runtime, directory);
	return access(path, F_OK) == 0;
}

/* Whether a list has nothing but possible names in it. */
static bool has_names(const char *list)
{
	while (*list != '\0') {
		char name[DYNUSER_NAME_MAX + 1];
		size_t length = strcspn(list, ",");

		if (length > DYNUSER_NAME_MAX)
			return false;
		memcpy(name, list, length);
		name[length] = '\0';
		if (!name_is_possible(name))
			return false;
		list += length;
		if (*list == ',' && *++list == '\0')
			return false;
	}
	return true;
}

/* The names that the daemon has sent, with commas in between. */
struct names {
	char *text;
	size_t size, length;
	bool fits;
};

static void append_name(const struct reply *reply, void *context)
{
	struct names *names = context;
	const char *user = reply->membership.user;
	size_t length = strlen(user), comma = names->length > 0 ? 1 : 0;

	names->fits = names->fits && names->size - names->length > comma + length;
	if (!names->fits)
		return;
	if (comma > 0)
		names->text[names->length++] = ',';
	memcpy(names->text + names->length, user, length + 1);
	names->length += length;
}

static int ask_for_members(const char *runtime, const char *group, char *text, size_t size, size_t *length)
{
	struct names names = { .text = text, .size = size, .fits = true };

	text[0] = '\0';
	if (userdb_memberships(runtime, NULL, group, append_name, &names) != 0)
		names = (struct names){ .fits = true };
	*length = names.length;
	return names.fits ? 0 : ERANGE;
}

static int find_members(const char *runtime, const struct identity *group, char *text, size_t size, size_t *length)
{
	char entry[NUMBER_BYTES];

	(void)snprintf(entry, sizeof(entry), "%u", (unsigned int)group->uid);
	if (caller_forces_varlink() || !read_list(runtime, DYNUSER_MEMBERS, entry, text, size, length) ||
	    strcmp(text, DYNUSER_MEMBERS_ASKED) == 0)
		return ask_for_members(runtime, group->name, text, size, length);
	if (*length == size - 1)
		return ERANGE;
	/* The daemon has written no list with names that cannot be ours. */
	if (!has_names(text))
		*length = 0;
	return 0;
}

int members_of(const struct identity *group, char *text, size_t size, size_t *length)
{
	/* The text of a link and one byte more, by which it is seen that all of it is there. */
	if (size < 2)
		return ERANGE;
	struct caller caller = caller_enter();
	int error = find_members(caller_runtime_directory(), group, text, size, length);

	caller_leave(&caller);
	return error;
}

struct numbers {
	const char *runtime;
	gid_t *gids;
	size_t count;
};

/* The daemon sends the names of groups. */
static void append_number(const struct reply *reply, void *context)
{
	struct numbers *numbers = context;
	struct query query = { .kind = RECORD_GROUP, .name = reply->membership.group };
	struct identity group;

	if (numbers->count < GROUPS_MAX && userdb_find(numbers->runtime, &query, LOOKUP_WAIT_MS, &group) == 0)
		numbers->gids[numbers->count++] = group.uid;
}

static size_t ask_for_groups(const char *runtime, const char *user, gid_t gids[GROUPS_MAX])
{
	struct numbers numbers = { .runtime = runtime, .gids = gids };

	return userdb_memberships(runtime, user, NULL, append_number, &numbers) == 0 ? numbers.count : 0;
}

static size_t read_numbers(const char *list, gid_t gids[GROUPS_MAX])
{
	size_t count = 0;

	while (*list != '\0' && count < GROUPS_MAX) {
		size_t length = strcspn(list, ",");

		if (!uid_from_text(list, length, &gids[count++]))
			return 0;
		list += length;
		if (*list == ',' && *++list == '\0')
			return 0;
	}
	return count;
}

static size_t find_groups(const char *runtime, const char *user, gid_t gids[GROUPS_MAX])
{
	char text[GROUPS_MAX * NUMBER_BYTES + 1];
	size_t length;

	if (caller_forces_varlink() || !read_list(runtime, DYNUSER_GROUPS, user, text, sizeof(text), &length))
		return ask_for_groups(runtime, user, gids);
	return length == sizeof(text) - 1 ? 0 : read_numbers(text, gids);
}

size_t groups_of(const char *user, gid_t gids[GROUPS_MAX])
{
	if (!name_is_possible(user) || caller_bypasses())
		return 0;
	const char *runtime = caller_runtime_directory();
	struct caller caller = caller_enter();
	size_t count = find_groups(runtime, user, gids);

	caller_leave(&caller);
	return count;
}
