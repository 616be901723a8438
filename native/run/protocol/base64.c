/* See base64.h. */
#include "base64.h"

#include <stdint.h>
#include <string.h>

#define BITS_PER_DIGIT 6U
#define BITS_PER_BYTE 8U

/* The value of a digit; -1 if it is not one. */
static int value_of(char digit)
{
	if (digit >= 'A' && digit <= 'Z')
		return digit - 'A';
	if (digit >= 'a' && digit <= 'z')
		return digit - 'a' + ('Z' - 'A' + 1);
	if (digit >= '0' && digit <= '9')
		return digit - '0' + 2 * ('Z' - 'A' + 1);
	if (digit == '+')
		return 62;
	return digit == '/' ? 63 : -1;
}

size_t base64_read(const char *text, unsigned char *bytes)
{
	size_t whole = strlen(text), length = whole, count = 0;
	uint32_t bits = 0;
	unsigned int held = 0;

	if (length % 4 != 0)
		return SIZE_MAX;
	while (length > 0 && text[length - 1] == '=')
		length--;
	if (whole - length > 2)
		return SIZE_MAX;
	for (size_t i = 0; i < length; i++) {
		int value = value_of(text[i]);

		if (value < 0)
			return SIZE_MAX;
		bits = bits << BITS_PER_DIGIT | (uint32_t)value;
		held += BITS_PER_DIGIT;
		if (held >= BITS_PER_BYTE) {
			held -= BITS_PER_BYTE;
			bytes[count++] = (unsigned char)(bits >> held);
		}
	}
	return count;
}
