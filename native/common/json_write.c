/* JSON text that grows; see json_write.h. */
#include "json_write.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

#define ROOM_MIN 4096U

struct json_writer json_write_begin(size_t bound)
{
	return (struct json_writer){ .bound = bound };
}

void json_write_end(struct json_writer *writer)
{
	free(writer->text);
	*writer = (struct json_writer){ .bound = writer->bound };
}

static bool make_room(struct json_writer *writer, size_t more)
{
	size_t room = writer->room;
	char *text;

	if (more > writer->bound - writer->length) {
		writer->error = EMSGSIZE;
		return false;
	}
	if (more <= room - writer->length)
		return true;
	if (room < ROOM_MIN)
		room = ROOM_MIN;
	while (room - writer->length < more)
		room *= 2;
	text = realloc(writer->text, room);
	if (text == NULL) {
		writer->error = ENOMEM;
		return false;
	}
	writer->text = text;
	writer->room = room;
	return true;
}

void json_write_bytes(struct json_writer *writer, const char *bytes, size_t length)
{
	if (length == 0 || writer->error != 0 || !make_room(writer, length))
		return;
	memcpy(writer->text + writer->length, bytes, length);
	writer->length += length;
}

void json_write_raw(struct json_writer *writer, const char *text)
{
	json_write_bytes(writer, text, strlen(text));
}

/* RFC 8259, section 7: the quote, the backslash and all below the space. */
static bool needs_escape(char byte)
{
	return byte == '"' || byte == '\\' || (unsigned char)byte < 0x20;
}

static void write_escape(struct json_writer *writer, char byte)
{
	static const char digits[] = "0123456789abcdef";
	char escape[] = { '\\', 'u', '0', '0', digits[(unsigned char)byte >> 4], digits[byte & 0xF] };
	char quoted[] = { '\\', byte };

	if ((unsigned char)byte < 0x20)
		json_write_bytes(writer, escape, sizeof(escape));
	else
		json_write_bytes(writer, quoted, sizeof(quoted));
}

void json_write_text(struct json_writer *writer, const char *text, size_t length)
{
	size_t start = 0;

	if (!json_is_utf8(text, length) && writer->error == 0)
		writer->error = EILSEQ;
	json_write_raw(writer, "\"");
	for (size_t i = 0; i < length; i++) {
		if (!needs_escape(text[i]))
			continue;
		json_write_bytes(writer, text + start, i - start);
		write_escape(writer, text[i]);
		start = i + 1;
	}
	json_write_bytes(writer, text + start, length - start);
	json_write_raw(writer, "\"");
}

void json_write_string(struct json_writer *writer, const char *text)
{
	json_write_text(writer, text, strlen(text));
}

void json_write_name(struct json_writer *writer, const char *name)
{
	json_write_raw(writer, ",");
	json_write_string(writer, name);
	json_write_raw(writer, ":");
}

void json_write_member(struct json_writer *writer, const char *name, const char *text)
{
	if (text == NULL)
		return;
	json_write_name(writer, name);
	json_write_string(writer, text);
}
