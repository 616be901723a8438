/* Lines of name:password:number:member,member; what is none is passed over, as glibc does. See group_file.h. */
#include "group_file.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SPACE " \t\r\n"

/* Behind the next colon; null where there is none. */
static char *next_field(char *text)
{
	char *colon = strchr(text, ':');

	return colon == NULL ? NULL : colon + 1;
}

static bool is_member(char *list, const char *member)
{
	char *item;

	while ((item = strsep(&list, ",")) != NULL) {
		item += strspn(item, SPACE);
		item[strcspn(item, SPACE)] = '\0';
		if (strcmp(item, member) == 0)
			return true;
	}
	return false;
}

static void read_line(char *line, const char *member, group_file_found *found, void *context)
{
	char *password, *number, *members, *end = NULL;
	unsigned long id;

	line += strspn(line, SPACE);
	/* "+" and "-" begin what is for the source "compat" alone (nsswitch.conf(5)). */
	if (strchr("#+-", line[0]) != NULL)
		return;
	password = next_field(line);
	number = password == NULL ? NULL : next_field(password);
	members = number == NULL ? NULL : next_field(number);
	if (members == NULL || number[0] < '0' || number[0] > '9')
		return;
	errno = 0;
	id = strtoul(number, &end, 10);
	if (errno == 0 && end == members - 1 && id < UINT32_MAX && is_member(members, member))
		found(context, (gid_t)id);
}

bool group_file_read(FILE *file, const char *member, group_file_found *found, void *context)
{
	char *line = NULL;
	size_t room = 0;
	int error;

	/* A NUL in a line ends it for us; what stands behind cannot be told. */
	while (getline(&line, &room, file) >= 0)
		read_line(line, member, found, context);
	error = errno;
	free(line);
	errno = error;
	/* A failure looks like the end, but for this. */
	return feof(file) != 0;
}
