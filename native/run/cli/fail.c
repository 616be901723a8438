/* See fail.h. */
#include "fail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FIRST_FREE 3
#define PREFIX "dynuser-run: "
/* Two paths of PATH_MAX bytes in a sentence; a longer line is cut. */
#define LINE_MAX_BYTES 8704U

/* Where lines go. */
static int stream = STDERR_FILENO;

void fail_keep_stream(void)
{
	int kept = stream == STDERR_FILENO ? fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, FIRST_FREE) : -1;

	if (kept >= 0)
		stream = kept;
}

void fail_move_stream(int least)
{
	int moved = stream == STDERR_FILENO || stream >= least ? -1 : fcntl(stream, F_DUPFD_CLOEXEC, least);

	if (moved >= 0)
		stream = moved;
}

const char *fail_words(int error)
{
	static const struct {
		int error;
		const char *words;
	} usual[] = {
		{ EBUSY, "Device or resource busy" }, { EDQUOT, "Disk quota exceeded" },
		{ EIO, "Input/output error" },	      { ELOOP, "Too many levels of symbolic links" },
		{ EMFILE, "Too many open files" },    { ENAMETOOLONG, "File name too long" },
		{ ENOMEM, "Cannot allocate memory" }, { EXDEV, "Invalid cross-device link" },
	};

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		if (usual[i].error == error)
			return usual[i].words;
	}
	return strerror(error);
}

void make_printable(char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F)
			text[i] = '?';
	}
}

/* One write(2), so that lines of processes that share the stream do not mix. */
static void write_line(char *line, size_t length)
{
	make_printable(line, length);
	line[length] = '\n';
	/* If the stream is gone, only the exit status tells. */
	if (write(stream, line, length + 1) < 0)
		return;
}

static size_t bounded(int length, size_t room)
{
	return length < 0 ? 0 : (size_t)length < room ? (size_t)length : room - 1;
}

static void say_line(int error, const char *format, va_list arguments)
{
	char line[LINE_MAX_BYTES + 1] = PREFIX;
	size_t length = sizeof(PREFIX) - 1;

	length +=
		bounded(vsnprintf(line + length, LINE_MAX_BYTES - length, format, arguments), LINE_MAX_BYTES - length);
	if (error != 0) {
		size_t room = LINE_MAX_BYTES - length;

		length += bounded(snprintf(line + length, room, ": %s", fail_words(error)), room);
	}
	write_line(line, length);
}

void say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say_line(0, format, arguments);
	va_end(arguments);
}

void fail(int status, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say_line(0, format, arguments);
	va_end(arguments);
	_exit(status);
}

void fail_errno(int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say_line(error, format, arguments);
	va_end(arguments);
	_exit(STATUS_LAUNCHER);
}
