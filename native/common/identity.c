/* See identity.h. */
#include "identity.h"

#include <stdint.h>
#include <string.h>

/* The decimal digits of the largest 32-bit number, 4294967295. */
#define UID_DIGITS_MAX 10U

bool uid_is_possible(uid_t uid)
{
	return uid >= DYNUSER_UID_POSSIBLE_MIN && uid <= DYNUSER_UID_POSSIBLE_MAX && uid != DYNUSER_UID_NOBODY &&
	       uid != DYNUSER_UID_INVALID16;
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* Not isalpha(3): that depends on the locale of the program that we are loaded into. */
static bool is_letter(char byte)
{
	return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || byte == '_';
}

bool name_is_possible(const char *name)
{
	if (name == NULL || !is_letter(name[0]))
		return false;
	for (size_t i = 1; i <= DYNUSER_NAME_MAX; i++) {
		if (name[i] == '\0')
			return true;
		if (!is_letter(name[i]) && !is_digit(name[i]) && name[i] != '-')
			return false;
	}
	return false;
}

bool uid_from_text(const char *text, size_t length, uid_t *uid)
{
	uint64_t value = 0;

	if (length == 0 || length > UID_DIGITS_MAX || text[0] == '0')
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!is_digit(text[i]))
			return false;
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	if (value > UINT32_MAX || !uid_is_possible((uid_t)value))
		return false;
	*uid = (uid_t)value;
	return true;
}

struct identity identity_of(uid_t uid, const char *name)
{
	struct identity who = { .uid = uid };

	memcpy(who.name, name, strnlen(name, DYNUSER_NAME_MAX));
	return who;
}
