/* The line protocol of protocol.h. All buffers are of fixed size; nothing here allocates. */
#include "protocol.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "descriptor.h"

#define ID_LAST 4294967294ULL

/* Places have a line of their own, and see to its length themselves. Other answers have one text; one byte is kept for the LF. */
_Static_assert(ANSWER_MAX > QUESTIONS_MAX * (TEXT_MAX * 3 + 128), "a line holds its longest answers");
_Static_assert(QUESTION_MAX > TEXT_MAX * 3 + 16, "a question holds its longest text");

static void append(struct answer *answer, const char *bytes, size_t count)
{
	if (count <= sizeof(answer->line) - 1 - answer->length) {
		memcpy(answer->line + answer->length, bytes, count);
		answer->length += count;
	}
}

void answer_clear(struct answer *answer)
{
	answer->start = answer->length = 0;
}

void answer_next(struct answer *answer)
{
	append(answer, QUESTION_SEPARATOR, strlen(QUESTION_SEPARATOR));
	answer->start = answer->length;
}

void answer_begin(struct answer *answer, const char *word)
{
	answer->length = answer->start;
	append(answer, word, strlen(word));
}

void answer_word(struct answer *answer, const char *word)
{
	append(answer, " ", 1);
	append(answer, word, strlen(word));
}

void answer_number(struct answer *answer, uint64_t number)
{
	char digits[24];
	int count = snprintf(digits, sizeof(digits), " %llu", (unsigned long long)number);

	append(answer, digits, (size_t)count);
}

static bool is_plain(unsigned char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
	       byte == '.' || byte == '_' || byte == '/' || byte == '-';
}

void answer_text(struct answer *answer, const char *text)
{
	static const char digits[] = "0123456789ABCDEF";

	append(answer, " ", 1);
	for (size_t i = 0; text[i] != '\0' && i < TEXT_MAX; i++) {
		unsigned char byte = (unsigned char)text[i];
		char escape[3] = { '%', digits[byte >> 4], digits[byte & 15] };

		if (is_plain(byte))
			append(answer, text + i, 1);
		else
			append(answer, escape, sizeof(escape));
	}
}

bool answer_invalid(struct answer *answer)
{
	answer_begin(answer, "invalid");
	return true;
}

bool answer_error(struct answer *answer, const char *call, int error)
{
	answer_begin(answer, "error");
	answer_word(answer, call);
	answer_number(answer, error > 0 ? (uint64_t)error : EIO);
	return true;
}

void answer_copy(struct answer *answer, const struct answer *other)
{
	answer->length = answer->start;
	append(answer, other->line + other->start, other->length - other->start);
}

bool question_read(int descriptor, char line[QUESTION_MAX])
{
	size_t length = 0;

	while (length < QUESTION_MAX) {
		ssize_t count = read(descriptor, line + length, QUESTION_MAX - length);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return false;
		length += (size_t)count;
		const char *end = memchr(line, '\n', length);

		if (end != NULL) {
			line[length - 1] = '\0';
			return end == line + length - 1 && strlen(line) == length - 1;
		}
	}
	return false;
}

bool answer_write(int descriptor, struct answer *answer)
{
	answer->line[answer->length++] = '\n';
	return write_all(descriptor, answer->line, answer->length);
}

bool parse_id(const char *text, uint32_t *id)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 10);

	/* strtoull(3) takes blanks, signs and leading zeros. A number that it cannot hold is the largest to it. */
	if (text[0] < '0' || text[0] > '9' || (text[0] == '0' && text[1] != '\0') || *end != '\0' || value > ID_LAST)
		return false;
	*id = (uint32_t)value;
	return true;
}

static int hexadecimal(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

bool decode_text(char *text)
{
	size_t to = 0;

	for (size_t from = 0; text[from] != '\0'; from++, to++) {
		char byte = text[from];

		if (to == TEXT_MAX)
			return false;
		if (byte == '%') {
			int high = hexadecimal(text[from + 1]);
			int low = high < 0 ? -1 : hexadecimal(text[from + 2]);

			if (low < 0 || (high == 0 && low == 0))
				return false;
			byte = (char)(high * 16 + low);
			from += 2;
		} else if (!is_plain((unsigned char)byte)) {
			return false;
		}
		text[to] = byte;
	}
	text[to] = '\0';
	return true;
}
