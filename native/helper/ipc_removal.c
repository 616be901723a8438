/* Removal is never taken for granted: the search that a UID is examined with before it is given out has the last word. */
#include "ipc_removal.h"

#include "posix_ipc.h"
#include "sysv_ipc.h"

void remove_ipc(uid_t number, struct answer *answer)
{
	for (int passes = 0; find_sysv_ipc(number, answer) || find_posix_ipc(number, answer); passes++) {
		if (passes == REMOVAL_PASSES)
			return;
		remove_sysv_ipc(number, number);
		remove_posix_ipc(number, number);
	}
	answer_begin(answer, "free");
}
