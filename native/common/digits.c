/* See digits.h. */
#include "digits.h"

#include <string.h>

char *digits_put(char *at, uint32_t number, uint32_t base)
{
	char digits[DIGITS_MAX];
	char *first = digits + sizeof(digits) - 1;

	*first = '\0';
	do {
		*--first = (char)('0' + number % base);
		number /= base;
	} while (number > 0);
	return stpcpy(at, first);
}
