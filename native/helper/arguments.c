/* See arguments.h. */
#include "arguments.h"

#include <string.h>

#include "identity.h"

bool parse_name(char *name, struct answer *answer)
{
	bool good = decode_text(name) && name[0] != '\0';

	if (!good)
		answer_begin(answer, "invalid");
	return good;
}

bool parse_ours(const char *number, uid_t *uid, struct answer *answer)
{
	bool good = uid_from_text(number, strlen(number), uid);

	if (!good)
		answer_begin(answer, "invalid");
	return good;
}

bool parse_numbers(char *text, struct numbers *numbers, struct answer *answer)
{
	char *rest = NULL;

	for (char *number = strtok_r(text, ",", &rest); number != NULL; number = strtok_r(NULL, ",", &rest)) {
		uid_t uid;

		if (numbers->count == NUMBERS_MAX) {
			answer_begin(answer, "invalid");
			return false;
		}
		if (!parse_ours(number, &uid, answer))
			return false;
		numbers->number[numbers->count++] = uid;
	}
	if (numbers->count == 0)
		answer_begin(answer, "invalid");
	return numbers->count > 0;
}
