/* See listing.h. */
#include "listing.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "protocol.h"

#define BYTES_FIRST (64U * 1024U)
/* An entry of each of the 4,194,304 PIDs that there can be. */
#define BYTES_MAX (128U * 1024U * 1024U)
/* With less room left than this another entry might not have fitted in. */
#define BYTES_OF_ENTRY 512U

bool list_on(struct listing *listing, int directory)
{
	ssize_t length = getdents64(directory, listing->bytes, listing->room);

	listing->length = length < 0 ? 0 : (size_t)length;
	return length >= 0;
}

bool list_at_once(struct listing *listing, int directory, off_t position)
{
	for (size_t room = listing->room == 0 ? BYTES_FIRST : listing->room; room <= BYTES_MAX; room *= 2) {
		if (room > listing->room) {
			char *bytes = realloc(listing->bytes, room);

			if (bytes == NULL)
				return false;
			listing->bytes = bytes;
			listing->room = room;
		}
		if (lseek(directory, position, SEEK_SET) < 0 || !list_on(listing, directory))
			return false;
		if (listing->length <= listing->room - BYTES_OF_ENTRY)
			return true;
	}
	errno = ENOMEM;
	return false;
}

static bool parse_pid(const char *name, pid_t *pid)
{
	uint32_t number;

	if (!parse_id(name, &number) || number == 0 || number > INT32_MAX)
		return false;
	*pid = (pid_t)number;
	return true;
}

bool list_next(const struct listing *listing, struct listing_step *step, struct listed *listed)
{
	while (step->next < listing->length) {
		const struct dirent64 *entry = (const struct dirent64 *)(const void *)(listing->bytes + step->next);

		listed->position = step->position;
		step->next += entry->d_reclen;
		step->position = (off_t)entry->d_off;
		if (parse_pid(entry->d_name, &listed->pid))
			return true;
	}
	return false;
}
