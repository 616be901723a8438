/* Removal is never taken for granted: the search that a UID is examined with before it is given out has the last word. */
#include "ipc_removal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix_ipc.h"

#define SAME ((uid_t)-1)
/* No object is of this number. */
#define NO_OWNER ((uid_t)-1)
/* The bits of a mode but set-user-ID and set-group-ID. */
#define KEPT_BITS 01777U

/* Whose objects go; none of root's goes for its owner or its group. */
struct subject {
	uid_t uid;
	gid_t gid;
	uid_t creator; /* of System V objects, as UID and as GID */
};

static bool belongs(uid_t uid, gid_t gid, const struct subject *subject)
{
	return (uid == subject->uid && uid != 0) || (gid == subject->gid && gid != 0);
}

/*
 * Only owner and creator may change or remove an object, and CAP_SYS_ADMIN, which a hardened daemon does not have: so the owner's
 * UID becomes the effective one for a moment. The real and the saved one stay root's, so that no process of the owner may
 * signal us.
 */
static bool remove_as_owner(const struct sysv_object *object)
{
	if (setresuid(SAME, object->uid, SAME) != 0)
		return false;
	bool done = sysv_remove(object);

	/* A change of the effective UID clears what confine() in main.c has set. */
	if (setresuid(SAME, 0, SAME) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0)
		abort();
	return done;
}

/* An attached segment is given to root by its owner, and removed by root; what is not attached the owner removes itself. */
static bool remove_object(const struct sysv_object *object)
{
	return sysv_remove(object) || (errno == EPERM && (remove_as_owner(object) || sysv_remove(object)));
}

static bool remove_of_subject(void *data, const struct sysv_object *object)
{
	const struct subject *subject = data;

	if (!object->is_doomed && (belongs(object->uid, object->gid, subject) ||
				   object->creator_uid == subject->creator || object->creator_gid == subject->creator))
		(void)remove_object(object);
	return false;
}

/*
 * Files are unlinked as they are met, and directories when they are left. The owner is that of the inode: a hard link to a file of
 * ours is ours wherever it is, one to a file of others is theirs even in a directory of ours.
 *
 * Between the look at an entry and unlinkat(2) its name may come to mean something else. Who can make it so may write to the
 * directory, and to the one that the other thing came from: both things could have been removed without us.
 */
static enum walk_step remove_entry(void *data, const struct walk_entry *entry, struct answer *answer)
{
	(void)answer;
	if (S_ISDIR(entry->status->st_mode))
		return WALK_DESCEND;
	if (belongs(entry->status->st_uid, entry->status->st_gid, data))
		(void)unlinkat(entry->directory, entry->name, 0);
	return WALK_ON;
}

/* rmdir(2) takes empty directories alone: what is of others in it keeps it. */
static void remove_directory(void *data, int parent, const char *name, dev_t device, ino_t inode)
{
	struct stat status;

	if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) == 0 && status.st_dev == device &&
	    status.st_ino == inode && belongs(status.st_uid, status.st_gid, data))
		(void)unlinkat(parent, name, AT_REMOVEDIR);
}

/*
 * Everybody else keeps what rights there were, and nobody gets more: of a file the kernel clears the set-ID bits when its owner
 * changes, and of a directory, that new files in it get its group is ended here.
 */
static enum walk_step disown_entry(void *data, const struct walk_entry *entry, struct answer *answer)
{
	const struct subject *subject = data;
	const struct stat *status = entry->status;
	char path[sizeof("/proc/self/fd/") + 16];

	(void)answer;
	if (belongs(status->st_uid, status->st_gid, subject)) {
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", entry->descriptor);
		/* What fails is found by the search that follows. */
		if ((S_ISLNK(status->st_mode) || chmod(path, status->st_mode & KEPT_BITS) == 0) &&
		    fchownat(entry->descriptor, "", status->st_uid == subject->uid ? 0 : SAME,
			     status->st_gid == subject->gid ? 0 : SAME, AT_EMPTY_PATH) < 0)
			return WALK_ON;
	}
	return S_ISDIR(status->st_mode) ? WALK_DESCEND : WALK_ON;
}

static void walk_posix_ipc(struct ipc_visitor visitor, struct subject *subject)
{
	struct answer unused = { .start = 0 };

	visitor.data = subject;
	/* An error ends a walk, and the next search too, which then answers it. */
	(void)walk_ipc(POSIX_SHM_DIRECTORY, &visitor, &unused);
	(void)walk_ipc(POSIX_MQ_DIRECTORY, &visitor, &unused);
}

static void remove_posix_ipc(struct subject *subject)
{
	walk_posix_ipc((struct ipc_visitor){ .entry = remove_entry, .leave = remove_directory }, subject);
}

static bool find(uid_t number, const struct uid_range *dynamic, struct answer *answer)
{
	bool given = false;

	return find_sysv_ipc(number, dynamic, &given, answer) || find_posix_ipc(number, answer);
}

bool remove_ipc(uid_t number, const struct uid_range *dynamic, struct answer *answer)
{
	struct subject subject = { number, number, number };

	/* Also what counts for nothing; a walk of empty tables, as on most hosts, costs three system calls. */
	(void)walk_sysv(remove_of_subject, &subject);
	for (int passes = 0; find(number, dynamic, answer); passes++) {
		if (passes == REMOVAL_PASSES) {
			walk_posix_ipc((struct ipc_visitor){ .entry = disown_entry }, &subject);
			return find(number, dynamic, answer);
		}
		(void)walk_sysv(remove_of_subject, &subject);
		remove_posix_ipc(&subject);
	}
	return false;
}

void remove_account_ipc(uid_t uid, gid_t gid)
{
	struct subject subject = { uid, gid, NO_OWNER };

	(void)walk_sysv(remove_of_subject, &subject);
	remove_posix_ipc(&subject);
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

bool remove_given_ipc(uid_t number, const struct uid_range *dynamic, struct answer *answer)
{
	struct giving giving = { .number = number, .dynamic = dynamic };

	if (!walk_sysv(remove_of_stranger, &giving))
		return answer_error(answer, "sysvipc", errno);
	answer_begin(answer, "removed");
	answer_number(answer, giving.removed);
	for (size_t i = 0; i < giving.removed && i < GIVEN_NAMED_MAX; i++) {
		answer_word(answer, giving.named[i].name);
		answer_number(answer, (uint64_t)giving.named[i].id);
		answer_number(answer, giving.named[i].creator_uid);
	}
	return true;
}
