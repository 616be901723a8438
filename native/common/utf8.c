/* The table of well-formed sequences of RFC 3629, section 4; see utf8.h. */
#include "utf8.h"

/* The number of bytes of the sequence at the start of length bytes (at least one); 0 where there is none. */
static size_t sequence_length(const unsigned char *bytes, size_t length)
{
	unsigned char first = bytes[0];
	size_t size = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;

	if (size == 1)
		return 1;
	if (first < 0xC2 || first > 0xF4 || length < size)
		return 0;
	/* The second byte has narrower bounds where the first alone would allow a longer form than needed or a surrogate. */
	if (bytes[1] < (first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80) ||
	    bytes[1] > (first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF))
		return 0;
	for (size_t i = 2; i < size; i++) {
		if (bytes[i] < 0x80 || bytes[i] > 0xBF)
			return 0;
	}
	return size;
}

bool utf8_is_well_formed(const char *text, size_t length)
{
	const unsigned char *bytes = (const unsigned char *)text;

	while (length > 0) {
		size_t size = sequence_length(bytes, length);

		if (size == 0)
			return false;
		bytes += size;
		length -= size;
	}
	return true;
}
