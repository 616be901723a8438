/* The removal of System V IPC objects, each as its owner if need be; see reap/ipc_removal.h. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "ipc_removal.h"

#define SAME ((uid_t)-1)

/*
 * Only owner and creator may change or remove an object, and CAP_SYS_ADMIN, which a hardened daemon does not have: so the owner's
 * UID becomes the effective one for a moment. The real and the saved one stay root's, so that no process of the owner may
 * signal us.
 */
static bool act_as(uid_t owner, const struct sysv_object *object, bool (*act)(const struct sysv_object *object))
{
	if (setresuid(SAME, owner, SAME) != 0)
		return false;
	bool done = act(object);

	/* A change of the effective UID clears what confine() in main.c has set. */
	if (setresuid(SAME, 0, SAME) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0) != 0)
		abort();
	return done;
}

/* An attached segment is root's first, and then marked for destruction, as which it lives on with nobody's rights. */
static bool close_and_remove(const struct sysv_object *object)
{
	sysv_close(object);
	return sysv_remove(object);
}

static bool remove_object(const struct sysv_object *object)
{
	if (close_and_remove(object))
		return true;
	/* The owner gives it to root by the first step, and root removes it; what is not attached it removes itself. */
	return errno == EPERM && (act_as(object->uid, object, close_and_remove) || sysv_remove(object));
}

/* Whose objects go; NO_OWNER for nobody's. */
struct goners {
	uid_t uid;
	gid_t gid;
	uid_t creator; /* as UID and as GID */
};

static bool goes(const struct sysv_object *object, const struct goners *goners)
{
	return !object->is_doomed &&
	       ((object->uid == goners->uid && object->uid != 0) || (object->gid == goners->gid && object->gid != 0) ||
		object->creator_uid == goners->creator || object->creator_gid == goners->creator);
}

static bool remove_goner(void *data, const struct sysv_object *object)
{
	if (goes(object, data))
		(void)remove_object(object);
	return false;
}

void remove_sysv_ipc(uid_t uid, gid_t gid)
{
	struct goners goners = { uid, gid, NO_OWNER };

	(void)walk_sysv(remove_goner, &goners);
}

void remove_own_sysv_ipc(uid_t number)
{
	struct goners goners = { number, number, number };

	(void)walk_sysv(remove_goner, &goners);
}

struct giving {
	uid_t number;
	const struct uid_range *dynamic;
	uint64_t removed;
	struct sysv_object named[GIVEN_NAMED_MAX];
};

static bool remove_of_stranger(void *data, const struct sysv_object *object)
{
	struct giving *giving = data;

	if (sysv_was_given(object, giving->number, giving->dynamic) && remove_object(object)) {
		if (giving->removed < GIVEN_NAMED_MAX)
			giving->named[giving->removed] = *object;
		giving->removed++;
	}
	return false;
}

void remove_given_ipc(uid_t number, const struct uid_range *dynamic, struct answer *answer)
{
	struct giving giving = { .number = number, .dynamic = dynamic };

	if (!walk_sysv(remove_of_stranger, &giving)) {
		answer_error(answer, "sysvipc", errno);
		return;
	}
	answer_begin(answer, "removed");
	answer_number(answer, giving.removed);
	for (size_t i = 0; i < giving.removed && i < GIVEN_NAMED_MAX; i++) {
		answer_word(answer, sysv_kind_name(&giving.named[i]));
		answer_number(answer, (uint64_t)giving.named[i].id);
		answer_number(answer, giving.named[i].creator_uid);
	}
}
