/* See progress.h. */
#include "progress.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fail.h"

/* Carriage return, and "erase in line" to its end (ECMA-48, 8.3.41). */
#define CLEAR "\r\033[K"
/* What a terminal that does not know its size is taken for (termcap's own default). */
#define USUAL_COLUMNS 80U
#define COLUMNS_MAX 512U

static bool is_drawn;

/* A process in the background may be stopped for writing (termios(3), TOSTOP), and would write into what others show. */
static bool is_shown(void)
{
	const char *terminal = secure_getenv("TERM");

	return isatty(STDERR_FILENO) == 1 && tcgetpgrp(STDERR_FILENO) == getpgrp() && terminal != NULL &&
	       strcmp(terminal, "dumb") != 0;
}

static size_t columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return USUAL_COLUMNS;
	return size.ws_col < COLUMNS_MAX ? size.ws_col : COLUMNS_MAX;
}

void progress_show(const char *path, uint32_t inodes, uint32_t changed)
{
	char numbers[80], line[sizeof(CLEAR) + COLUMNS_MAX];
	/* A character in the last column makes some terminals go on to the next line. */
	size_t room = columns() - 1, start = sizeof(CLEAR) - 1;

	if (!is_shown())
		return;
	(void)snprintf(numbers, sizeof(numbers), ": %u inodes inspected, %u changed", inodes, changed);

	/* The path is cut, the numbers are not, as long as there is room for them. */
	int left = room > strlen(numbers) ? (int)(room - strlen(numbers)) : 1;

	(void)snprintf(line, start + room + 1, CLEAR "%.*s%s", left, path, numbers);
	make_printable(line + start, strlen(line + start));
	is_drawn = write(STDERR_FILENO, line, strlen(line)) > 0;
}

void progress_clear(void)
{
	if (is_drawn)
		is_drawn = write(STDERR_FILENO, CLEAR, sizeof(CLEAR) - 1) < 0;
}
