/*
 * A visitor of ipc_walk.h that unlinks files as it meets them, and directories when they are left. The owner is that of the
 * inode: a hard link to a file of ours is ours wherever it is, one to a file of others is theirs even in a directory of ours.
 *
 * Between the look at an entry and unlinkat(2) its name may come to mean something else. Who can make it so may write to the
 * directory, and to the one that the other thing came from: both things could have been removed without us.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipc_removal.h"
#include "ipc_walk.h"
#include "posix_ipc.h"

/* Whose objects go. */
struct owners {
	uid_t uid;
	gid_t gid;
};

static bool belongs(const struct stat *status, const struct owners *owners)
{
	return (status->st_uid == owners->uid && owners->uid != 0) || (status->st_gid == owners->gid && owners->gid != 0);
}

static enum walk_step remove_entry(void *data, const struct walk_entry *entry, struct answer *answer)
{
	const struct owners *owners = data;

	(void)answer;
	if (S_ISDIR(entry->status->st_mode))
		return WALK_DESCEND;
	if (belongs(entry->status, owners))
		(void)unlinkat(entry->directory, entry->name, 0);
	return WALK_ON;
}

/* rmdir(2) takes empty directories alone: what is of others in it keeps it. */
static void remove_directory(void *data, int parent, const char *name, dev_t device, ino_t inode)
{
	const struct owners *owners = data;
	struct stat status;

	if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) == 0 && status.st_dev == device &&
	    status.st_ino == inode && belongs(&status, owners))
		(void)unlinkat(parent, name, AT_REMOVEDIR);
}

void remove_in_tree(const char *top, uid_t uid, gid_t gid)
{
	struct owners owners = { .uid = uid, .gid = gid };
	const struct ipc_visitor visitor = { .entry = remove_entry, .leave = remove_directory, .data = &owners };
	struct answer unused = { .start = 0 };

	/* An error ends this walk, and the next search too, which then answers it. */
	(void)walk_ipc(top, &visitor, &unused);
}

/* The bits of a mode but set-user-ID and set-group-ID. */
#define KEPT_BITS 01777U

/*
 * Everybody else keeps what rights there were, and nobody gets more: of a file the kernel clears the set-ID bits when its owner
 * changes, and of a directory, that new files in it get its group is ended here.
 */
static enum walk_step disown_entry(void *data, const struct walk_entry *entry, struct answer *answer)
{
	const struct owners *owners = data;
	const struct stat *status = entry->status;
	char path[sizeof("/proc/self/fd/") + 16];

	(void)answer;
	if (belongs(status, owners)) {
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", entry->descriptor);
		/* What fails is found by the search that follows. */
		if ((S_ISLNK(status->st_mode) || chmod(path, status->st_mode & KEPT_BITS) == 0) &&
		    fchownat(entry->descriptor, "", status->st_uid == owners->uid ? 0 : (uid_t)-1,
			     status->st_gid == owners->gid ? 0 : (gid_t)-1, AT_EMPTY_PATH) < 0)
			return WALK_ON;
	}
	return S_ISDIR(status->st_mode) ? WALK_DESCEND : WALK_ON;
}

void disown_in_tree(const char *top, uid_t number)
{
	struct owners owners = { .uid = number, .gid = number };
	const struct ipc_visitor visitor = { .entry = disown_entry, .data = &owners };
	struct answer unused = { .start = 0 };

	(void)walk_ipc(top, &visitor, &unused);
}

void disown_posix_ipc(uid_t number)
{
	disown_in_tree(POSIX_SHM_DIRECTORY, number);
	disown_in_tree(POSIX_MQ_DIRECTORY, number);
}

void remove_posix_ipc(uid_t uid, gid_t gid)
{
	remove_in_tree(POSIX_SHM_DIRECTORY, uid, gid);
	remove_in_tree(POSIX_MQ_DIRECTORY, uid, gid);
}
