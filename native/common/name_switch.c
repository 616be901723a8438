/* See name_switch.h. */
#include "name_switch.h"

#include <string.h>
#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif

#define BLANK " \t\r\f\v"

/*
 * nsswitch.conf(5) knows no comment behind sources: since glibc 2.33 a "#" there is a source like any other word, and what follows it is
 * asked; before, it ended the line.
 */
static bool has_comments(void)
{
#ifdef __GLIBC__
	return strverscmp(gnu_get_libc_version(), "2.33") < 0;
#else
	return false;
#endif
}

const char *switch_services(const char *text, const char *database)
{
	size_t length = strlen(database);
	const char *services = NULL;

	while (text != NULL) {
		text += strspn(text, BLANK);
		/* glibc takes a blank for the colon. */
		if (strncmp(text, database, length) == 0 && text[length] != '\0' &&
		    strchr(":" BLANK, text[length]) != NULL)
			services = text + length + 1;
		text = strchr(text, '\n');
		if (text != NULL)
			text++;
	}
	return services;
}

bool switch_next(const char **line, struct switch_word *word)
{
	const char *text = *line + strspn(*line, BLANK);
	const char *ends = has_comments() ? "\n#" : "\n";
	size_t left = strcspn(text, ends);

	word->text = text;
	word->is_action = *text == '[';
	word->length = strcspn(text, word->is_action ? "]" : BLANK "[");
	if (word->is_action && text[word->length] == ']')
		word->length++;
	if (word->length > left)
		word->length = left;
	*line = text + word->length;
	return word->length > 0;
}

bool switch_is_service(const struct switch_word *word, const char *service)
{
	return word->length == strlen(service) && strncmp(word->text, service, word->length) == 0;
}
