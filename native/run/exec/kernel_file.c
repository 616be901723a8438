/* See kernel_file.h. */
#include "kernel_file.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "namespace/resolve.h"

bool kernel_file_write(int directory, const char *path, const char *text)
{
	int file = openat(directory, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	bool written = file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text);

	close_quietly(file);
	return written;
}
