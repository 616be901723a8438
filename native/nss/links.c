/* See links.h. */
#include "links.h"

#include <stdio.h>
#include <unistd.h>

#include "bounds.h"

/* Runtime directory, slash, "by-name", slash, name, NUL. */
#define PATH_BYTES (RUNTIME_DIRECTORY_MAX + sizeof("/" DYNUSER_BY_NAME "/") + DYNUSER_NAME_MAX)
/* One byte more than the longest valid text, so that a longer one is noticed. */
#define TEXT_BYTES (DYNUSER_NAME_MAX + 1U)

/* It does not matter why a link could not be read, only whether the directory of links is visible. */
static enum links_answer links_missing(const char *runtime)
{
	char path[PATH_BYTES];

	(void)snprintf(path, sizeof(path), "%s/" DYNUSER_BY_UID, runtime);
	return access(path, F_OK) == 0 ? LINKS_ABSENT : LINKS_UNKNOWN;
}

enum links_answer links_by_uid(const char *runtime, uid_t uid, struct identity *who)
{
	char path[PATH_BYTES];
	char name[TEXT_BYTES + 1];
	ssize_t length;

	(void)snprintf(path, sizeof(path), "%s/" DYNUSER_BY_UID "/%u", runtime, (unsigned int)uid);
	length = readlink(path, name, TEXT_BYTES);
	if (length < 0)
		return links_missing(runtime);
	name[length] = '\0';
	if (!name_is_possible(name))
		return LINKS_ABSENT;
	*who = identity_of(uid, name);
	return LINKS_FOUND;
}

enum links_answer links_by_name(const char *runtime, const char *name, struct identity *who)
{
	char path[PATH_BYTES];
	char text[TEXT_BYTES];
	ssize_t length;
	uid_t uid;

	(void)snprintf(path, sizeof(path), "%s/" DYNUSER_BY_NAME "/%s", runtime, name);
	length = readlink(path, text, sizeof(text));
	if (length < 0)
		return links_missing(runtime);
	if (!uid_from_text(text, (size_t)length, &uid))
		return LINKS_ABSENT;
	*who = identity_of(uid, name);
	return LINKS_FOUND;
}
