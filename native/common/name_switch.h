/* nsswitch.conf(5) as glibc reads it (nss/nss_database.c, nss/nss_action_parse.c). */
#ifndef DYNUSER_NAME_SWITCH_H
#define DYNUSER_NAME_SWITCH_H

#include <stdbool.h>
#include <stddef.h>

/* A service, or a bracketed action. */
struct switch_word {
	const char *text;
	size_t length;
	bool is_action;
};

/* Returns what follows the name of a database, such as "passwd", in its last line in the text; NULL if it has no line. */
const char *switch_services(const char *text, const char *database);

/* Takes the next word of such a line. Returns false at its end. */
bool switch_next(const char **line, struct switch_word *word);

/* Whether it is a service of that name. */
bool switch_is_service(const struct switch_word *word, const char *service);

#endif
