/* See pid_set.h. PIDs are bounded by the kernel (PID_MAX_LIMIT, 4,194,304), and so is the memory: 16 MiB. */
#include "pid_set.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 1024

/* Where the PID is, or would be. */
static size_t place_of(const struct pid_set *set, pid_t pid)
{
	size_t low = 0, high = set->count;

	if (high == 0 || set->pids[high - 1] < pid)
		return high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->pids[middle] < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool pid_set_has(const struct pid_set *set, pid_t pid)
{
	size_t place = place_of(set, pid);

	return place < set->count && set->pids[place] == pid;
}

bool pid_set_add(struct pid_set *set, pid_t pid)
{
	if (set->count == set->room) {
		size_t room = set->room == 0 ? ROOM_FIRST : set->room * 2;
		pid_t *pids = reallocarray(set->pids, room, sizeof(*pids));

		if (pids == NULL)
			return false;
		set->pids = pids;
		set->room = room;
	}
	size_t place = place_of(set, pid);

	memmove(set->pids + place + 1, set->pids + place, (set->count - place) * sizeof(*set->pids));
	set->pids[place] = pid;
	set->count++;
	return true;
}
