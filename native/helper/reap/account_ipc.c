/* See reap/account_ipc.h. */
#include "account_ipc.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "ipc_removal.h"

/* "4294967294": the last number is none of an account's. */
#define DIGITS_MAX 10U

/* A number in its one form, 0 to NO_OWNER - 1. */
static bool number_from_text(const char *text, uint32_t *number)
{
	size_t length = strlen(text);
	uint64_t value = 0;

	if (length == 0 || length > DIGITS_MAX || (text[0] == '0' && length > 1) || strspn(text, "0123456789") != length)
		return false;
	for (; *text != '\0'; text++)
		value = value * 10 + (uint64_t)(*text - '0');
	*number = (uint32_t)value;
	return value < NO_OWNER;
}

bool remove_account_ipc(char *argument, struct answer *answer)
{
	char *comma = strchr(argument, ',');
	uint32_t uid, gid;

	if (comma != NULL)
		*comma = '\0';
	if (comma == NULL || !number_from_text(argument, &uid) || !number_from_text(comma + 1, &gid)) {
		answer_begin(answer, "invalid");
		return true;
	}
	remove_sysv_ipc(uid, gid);
	remove_posix_ipc(uid, gid);
	answer_begin(answer, "free");
	return false;
}
