/* See digits.h. */
#include "digits.h"

#include <errno.h>
#include <stdlib.h>
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

unsigned long digits_read(const char *text, unsigned long bound)
{
	char *end = NULL;
	unsigned long value;

	if (text == NULL || text[0] < '0' || text[0] > '9')
		return 0;
	errno = 0;
	value = strtoul(text, &end, 10);
	return errno != 0 || *end != '\0' || value > bound ? 0 : value;
}
