/* The part of a start that can be done before its user is known; see images.h. */
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "digits.h"
#include "images.h"
#include "namespace/resolve.h"

#define PROC "/proc/self/fd/"
/* A program may be large, and need little of that. */
#define READ_AHEAD_BYTES (1024U * 1024U)

void image_get_ready(const struct image *image, const char *program)
{
	int view = image_view(image, &image->parts[0]);
	int place = program == NULL || program[0] != '/' ? -1 : resolve(view, program, 0);
	char path[sizeof(PROC) + DIGITS_MAX];
	struct stat status;
	int file;

	/* Opening anything but a regular file may have effects. Nothing is lost if it cannot be read now. */
	if (place >= 0 && fstat(place, &status) == 0 && S_ISREG(status.st_mode)) {
		(void)digits_put(stpcpy(path, PROC), (uint32_t)place, 10);
		file = open(path, O_RDONLY | O_CLOEXEC);
		if (file >= 0)
			(void)readahead(file, 0, READ_AHEAD_BYTES);
		close_quietly(file);
	}
	close_quietly(place);
}
