/* See base64.h. */
#include "base64.h"

#include <stdint.h>
#include <string.h>

#define BITS_PER_DIGIT 6U
#define BITS_PER_BYTE 8U

size_t base64_read(const char *text, unsigned char *bytes)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t length = strlen(text), count = 0;
	uint32_t bits = 0;
	unsigned int held = 0;

	if (length % 4 != 0)
		return SIZE_MAX;
	while (length > 0 && text[length - 1] == '=')
		length--;
	if (strlen(text) - length > 2)
		return SIZE_MAX;
	for (size_t i = 0; i < length; i++) {
		const char *digit = strchr(digits, text[i]);

		if (digit == NULL)
			return SIZE_MAX;
		bits = bits << BITS_PER_DIGIT | (uint32_t)(digit - digits);
		held += BITS_PER_DIGIT;
		if (held >= BITS_PER_BYTE) {
			held -= BITS_PER_BYTE;
			bytes[count++] = (unsigned char)(bits >> held);
		}
	}
	return count;
}
