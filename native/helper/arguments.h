/* Owns what arguments of questions can be: each is read, or the answer says that it is none. */
#ifndef DYNUSER_HELPER_ARGUMENTS_H
#define DYNUSER_HELPER_ARGUMENTS_H

#include "processes.h"
#include "protocol.h"

/* Decodes a name in place. */
bool parse_name(char *name, struct answer *answer);

/* What ends a user's things takes no number that dynuser cannot have given out, whatever the daemon says. */
bool parse_ours(const char *number, uid_t *uid, struct answer *answer);

/* Such numbers, 1 to NUMBERS_MAX of them with commas in between. */
bool parse_numbers(char *text, struct numbers *numbers, struct answer *answer);

#endif
