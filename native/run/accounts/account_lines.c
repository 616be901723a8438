/* Lines, fields and numbers; see account_lines.h. */
#include "account_lines.h"

#include <stdint.h>
#include <string.h>

#define GROUP_FIELDS 4U
#define USER_FIELDS 7U

enum { GROUP_NAME, GROUP_PASSWORD, GROUP_ID };
enum { USER_NAME, USER_PASSWORD, USER_ID, USER_GROUP_ID, USER_GECOS, USER_HOME, USER_SHELL };

bool account_name(const char *name)
{
	/* A number with anything before it that strtoul(3) passes over is one to getent(1). */
	if (name[0] == '\0' || strchr("+- ", name[0]) != NULL || name[strspn(name, "0123456789")] == '\0')
		return false;
	for (; *name != '\0'; name++) {
		if ((unsigned char)*name < ' ' || strchr(":,\x7F", *name) != NULL)
			return false;
	}
	return true;
}

/* A decimal number up to the one that is nobody's (setgroups(2)); goes behind it. */
static bool read_id(const char **text, uint32_t *id)
{
	const char *at = *text;
	uint64_t number = 0;

	for (; *at >= '0' && *at <= '9' && number < UINT32_MAX; at++)
		number = number * 10 + (uint64_t)(*at - '0');
	if (at == *text || number >= UINT32_MAX)
		return false;
	*text = at;
	*id = (uint32_t)number;
	return true;
}

bool account_initgroups(const char *text, size_t length, const char *user, account_found *found, void *context)
{
	size_t name = strlen(user);
	const char *end;

	if (length <= name || text[length - 1] != '\n' || memcmp(text, user, name) != 0)
		return false;
	end = text + length - 1;
	for (text += name; text < end;) {
		uint32_t id;

		if (*text != ' ')
			return false;
		text += strspn(text, " ");
		/* The name is padded, and there may be no number behind it. */
		if (text == end)
			return true;
		if (!read_id(&text, &id))
			return false;
		found(context, id);
	}
	return true;
}

/* Takes a line of as many fields apart; goes behind it. */
static bool read_fields(char **text, const char *end, char **fields, size_t count)
{
	char *line = *text, *newline = memchr(line, '\n', (size_t)(end - line));

	if (newline == NULL || memchr(line, '\0', (size_t)(newline - line)) != NULL)
		return false;
	*newline = '\0';
	*text = newline + 1;
	for (size_t i = 0; i < count; i++)
		fields[i] = strsep(&line, ":");
	return fields[count - 1] != NULL && line == NULL && fields[0][0] != '\0';
}

static bool field_id(const char *field, uint32_t *id)
{
	return read_id(&field, id) && *field == '\0';
}

bool account_group(char **text, const char *end, struct account_group *group)
{
	char *fields[GROUP_FIELDS];
	uint32_t id;

	if (!read_fields(text, end, fields, GROUP_FIELDS) || !field_id(fields[GROUP_ID], &id))
		return false;
	*group = (struct account_group){ .name = fields[GROUP_NAME], .id = id };
	return true;
}

bool account_user(char *text, size_t length, struct account_user *user)
{
	const char *end = text + length;
	char *fields[USER_FIELDS];
	uint32_t id;

	if (!read_fields(&text, end, fields, USER_FIELDS) || text != end || !field_id(fields[USER_ID], &id) ||
	    !field_id(fields[USER_GROUP_ID], &id))
		return false;
	*user = (struct account_user){ .home = fields[USER_HOME], .shell = fields[USER_SHELL] };
	return true;
}
