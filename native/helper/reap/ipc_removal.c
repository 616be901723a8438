/* Removal is never taken for granted: the search that a UID is examined with before it is given out has the last word. */
#include "ipc_removal.h"

#include "posix_ipc.h"

static bool find(uid_t number, const struct uid_range *dynamic, struct answer *answer)
{
	bool given = false;

	return find_sysv_ipc(number, dynamic, &given, answer) || find_posix_ipc(number, answer);
}

bool remove_ipc(uid_t number, const struct uid_range *dynamic, struct answer *answer)
{
	/* Also what counts for nothing; a walk of empty tables, as on most hosts, costs three system calls. */
	remove_own_sysv_ipc(number);
	for (int passes = 0; find(number, dynamic, answer); passes++) {
		if (passes == REMOVAL_PASSES) {
			disown_posix_ipc(number);
			return find(number, dynamic, answer);
		}
		remove_own_sysv_ipc(number);
		remove_posix_ipc(number, number);
	}
	return false;
}
