/*
 * The handover of a tree to another owner.
 *
 * While it is under way, the top belongs to root with the group 65534, an owner that no finished tree has, with mode 0700. So neither
 * this program, nor the daemon, nor systemd takes the tree for anybody's, even if the run was interrupted. An extended attribute,
 * which only root can write, lists the UIDs that inodes below may still belong to.
 *
 * A directory is closed while it is handed over: it is root's, and nobody but root can change the names in it. So a name
 * always stands for the same inode, and links can be counted. Somebody who may rename and unlink meanwhile could make a foreign inode
 * with two names seem to have one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "commands.h"
#include "walk.h"

#define FORMER_OWNERS "trusted.dynuser.former-owners"
/* Former owners that are remembered while a handover is interrupted again and again. */
#define FORMER_OWNERS_MAX 32U
#define DIGITS_MAX 11U
#define TRANSITION_UID 0U
#define TRANSITION_GID 65534U
#define TRANSITION_MODE 0700U

/* The permission bits that a closed directory had. */
#define CLOSED_MODE "trusted.dynuser.mode"
#define MODE_DIGITS 4U
#define OTHERS_WRITE (S_IWGRP | S_IWOTH)
/* What a directory may keep when it is handed over. */
#define KEPT_BITS 01777U

struct handover {
	struct tree_owner owner;
	/* the owner of the top, or those that an interrupted run wrote down */
	uint32_t former[FORMER_OWNERS_MAX];
	size_t former_count;
};

static bool was_owner(const struct handover *handover, uint32_t uid)
{
	for (size_t i = 0; i < handover->former_count; i++) {
		if (handover->former[i] == uid)
			return true;
	}
	return false;
}

/* Beyond the bound none is added: inodes with several links of that owner are then left alone, never the reverse. */
static void add_former(struct handover *handover, uint32_t uid)
{
	if (!was_owner(handover, uid) && handover->former_count < FORMER_OWNERS_MAX)
		handover->former[handover->former_count++] = uid;
}

static void read_former(int top, struct handover *handover)
{
	char text[FORMER_OWNERS_MAX * DIGITS_MAX + 1];
	ssize_t length = fgetxattr(top, FORMER_OWNERS, text, sizeof(text) - 1);
	char *at = text;

	text[length < 0 ? 0 : length] = '\0';
	while (*at != '\0') {
		char *end;
		unsigned long uid = strtoul(at, &end, 10);

		if (end == at || uid > UINT32_MAX - 1)
			break;
		add_former(handover, (uint32_t)uid);
		at = *end == ' ' ? end + 1 : end;
	}
}

/* Those that an interruption of this run leaves. */
static void write_former(int top, struct handover next)
{
	char text[FORMER_OWNERS_MAX * DIGITS_MAX + 1];
	size_t length = 0;

	add_former(&next, next.owner.uid);
	for (size_t i = 0; i < next.former_count; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, i == 0 ? "%u" : " %u", next.former[i]);
	/*
	 * A file system without trusted attributes keeps no record: then the next run finds nobody, and leaves inodes with several links
	 * that are not the new owner's alone.
	 */
	(void)fsetxattr(top, FORMER_OWNERS, text, length, 0);
}

/* Puts a tree into transition. Returns NULL, or the call that failed, with errno; so do those below. */
static const char *begin_transition(int top, const struct tree_status *status, struct handover *handover)
{
	bool marked = status->uid == TRANSITION_UID && status->gid == TRANSITION_GID;

	/* The attribute of a top that is not marked is left from a run that ended right before it took it away. */
	if (marked)
		read_former(top, handover);
	else
		add_former(handover, status->uid);
	write_former(top, *handover);
	const struct tree_place place = { top, "" };
	/* A top that is marked is closed, whenever this run is killed; and again once its old owner has no more say. */
	const char *failed = tree_set_mode(place, TRANSITION_MODE);

	if (failed != NULL || marked)
		return failed;
	if (fchown(top, TRANSITION_UID, TRANSITION_GID) == 0)
		return tree_set_mode(place, TRANSITION_MODE);
	int error = errno;

	(void)tree_set_mode(place, status->mode & 07777U);
	errno = error;
	return "fchown";
}

static const char *end_transition(int top)
{
	if (fremovexattr(top, FORMER_OWNERS) == 0 || errno == ENODATA || errno == EOPNOTSUPP || errno == EPERM)
		return NULL;
	return "fremovexattr";
}

/*
 * Closes a directory and reads its status anew. Permission bits that let others write to it are taken away meanwhile, and kept in an
 * extended attribute, which an interrupted run leaves to the next. *closed is false if the file system has no such attributes; the
 * directory is root's then, but others may still write to it.
 */
static const char *close_directory(int descriptor, struct tree_status *status, bool *closed)
{
	const struct tree_place place = { descriptor, "" };
	char text[MODE_DIGITS + 1];

	*closed = false;
	if (fchown(descriptor, 0, 0) != 0)
		return "fchown";
	/* Only now, when its old owner has no more say: what that has granted, and what the mode is in the end. */
	const char *failed = tree_drop_acls(place, status);

	if (failed == NULL && !tree_stat(descriptor, "", status))
		failed = "statx";
	if (failed != NULL)
		return failed;
	if ((status->mode & OTHERS_WRITE) != 0) {
		(void)snprintf(text, sizeof(text), "%04o", status->mode & KEPT_BITS);
		if (fsetxattr(descriptor, CLOSED_MODE, text, MODE_DIGITS, 0) != 0)
			return NULL;
		failed = tree_set_mode(place, status->mode & KEPT_BITS & ~(uint32_t)OTHERS_WRITE);
		if (failed == NULL && !tree_stat(descriptor, "", status))
			failed = "statx";
	}
	*closed = failed == NULL;
	return failed;
}

/* Gives a directory the permission bits back that it had, and says so in its status. */
static const char *reopen_directory(int descriptor, struct tree_status *status)
{
	char text[MODE_DIGITS + 1] = { 0 };

	if (fgetxattr(descriptor, CLOSED_MODE, text, MODE_DIGITS) != (ssize_t)MODE_DIGITS)
		return NULL;
	uint32_t mode = (uint32_t)strtoul(text, NULL, 8) & KEPT_BITS;
	const char *failed = tree_set_mode((struct tree_place){ descriptor, "" }, mode);

	/* Before its owner changes: a directory that has its owner never has a record. */
	if (failed == NULL && fremovexattr(descriptor, CLOSED_MODE) != 0)
		failed = "fremovexattr";
	status->mode = (uint16_t)((status->mode & S_IFMT) | mode);
	return failed;
}

/*
 * Closes a directory that is handed over anyway. So the inodes in it need not be pinned one by one either, which would take
 * longer than all the rest.
 */
static bool enter(struct tree_worker *worker, int descriptor, struct tree_status *status, bool *closed)
{
	const struct handover *handover = worker->pool->context;

	/* Of a tree that becomes root's, a closed directory would seem done. */
	if (tree_owned(status, &handover->owner) || handover->owner.uid == 0)
		return true;
	const char *failed = close_directory(descriptor, status, closed);

	return failed == NULL || tree_fail(worker->pool->report, failed, descriptor, "");
}

/*
 * An inode that may have a name outside of the tree: only that of an owner from whom the tree is taken is changed. Of one
 * in a directory that others can write to, the number of links says nothing.
 */
static bool foreign(const struct handover *handover, const struct tree_status *status, bool closed)
{
	return (status->links > 1 || !closed) && status->uid != handover->owner.uid &&
	       !was_owner(handover, status->uid);
}

/*
 * A directory that has its owner already is not closed. It is as good as that if nobody else can write to it: the new owner has no
 * processes, or it would not get the tree. It is examined only if something in it has another owner.
 */
static bool is_closed(const struct handover *handover, const struct tree_batch *batch)
{
	struct tree_status status;

	return batch->closed || (tree_stat(batch->directory, "", &status) && tree_owned(&status, &handover->owner) &&
				 (status.mode & S_IWOTH) == 0 && !tree_has_acls(batch->directory));
}

/* Changes the owner of an entry, if it is to be changed. */
static bool take(struct tree_worker *worker, const struct tree_batch *batch, const char *name, struct tree_place place,
		 const struct tree_status *status)
{
	const struct handover *handover = worker->pool->context;

	if (S_ISDIR(status->mode))
		return tree_changed(worker->pool->report, batch->directory, name);
	worker->expects_change = false;
	if (tree_owned(status, &handover->owner))
		return true;
	if (foreign(handover, status, is_closed(handover, batch))) {
		tree_report_left(worker->pool->report, batch->directory, name);
		return true;
	}
	worker->expects_change = true;
	worker->changed++;
	const char *failed = tree_give(place, status, &handover->owner);

	return failed == NULL || tree_fail(worker->pool->report, failed, batch->directory, name);
}

/* If others can change the name, only the status of the pinned inode counts, whatever was seen before. */
static bool take_pinned(struct tree_worker *worker, const struct tree_batch *batch, const char *name,
			const struct tree_status *seen)
{
	struct tree_status status;
	int pinned = tree_pin(batch->directory, name);
	bool good;

	if (pinned < 0 && errno == EXDEV) {
		tree_report_mount(worker->pool->report, batch->directory, name);
		return true;
	}
	if (pinned < 0)
		return tree_fail(worker->pool->report, "openat2", batch->directory, name);
	if (!tree_stat(pinned, "", &status))
		good = tree_fail(worker->pool->report, "statx", batch->directory, name);
	else if (seen != NULL && !tree_same(seen, &status))
		good = tree_changed(worker->pool->report, batch->directory, name);
	else
		good = take(worker, batch, name, (struct tree_place){ pinned, "" }, &status);
	(void)close(pinned);
	return good;
}

static bool entry(struct tree_worker *worker, const struct tree_batch *batch, const char *name)
{
	const struct handover *handover = worker->pool->context;
	struct tree_status seen;

	/* One statx() is enough for what has its owner; for the rest, only the status of the pinned inode counts. */
	if (!batch->closed && worker->expects_change)
		return take_pinned(worker, batch, name, NULL);
	if (!tree_stat(batch->directory, name, &seen))
		return tree_fail(worker->pool->report, "statx", batch->directory, name);
	if (seen.mount != worker->pool->mount) {
		tree_report_mount(worker->pool->report, batch->directory, name);
		return true;
	}
	if (tree_owned(&seen, &handover->owner))
		return true;
	if (!batch->closed)
		return take_pinned(worker, batch, name, &seen);
	return take(worker, batch, name, (struct tree_place){ batch->directory, name }, &seen);
}

static bool directory(struct tree_worker *worker, int descriptor, const struct tree_status *status)
{
	const struct handover *handover = worker->pool->context;
	struct tree_status now;

	if (tree_owned(status, &handover->owner))
		return true;
	if (!tree_stat(descriptor, "", &now))
		return tree_fail(worker->pool->report, "statx", descriptor, "");
	/* One that got, lost or renamed an entry since it was read may have some that were never seen. */
	if (!tree_unchanged(status, &now))
		return tree_changed(worker->pool->report, descriptor, "");
	worker->changed++;
	const char *failed = reopen_directory(descriptor, &now);

	if (failed == NULL)
		failed = tree_give((struct tree_place){ descriptor, "" }, &now, &handover->owner);
	return failed == NULL || tree_fail(worker->pool->report, failed, descriptor, "");
}

static const struct tree_visitor visitor = { .enter = enter, .entry = entry, .directory = directory };

/* The top, once all that is below it is the new owner's; "marked" is what it was before the walk. */
static bool finish_top(const struct tree_status *marked, const struct tree_job *job, struct tree_report *report)
{
	const struct tree_place place = { report->top, "" };
	struct tree_status now;

	if (!tree_stat(report->top, "", &now))
		return tree_fail_at_top(report, "statx");
	if (!tree_unchanged(marked, &now))
		return tree_changed(report, report->top, "");
	const char *failed = tree_drop_acls(place, &now);

	/* Its owner last of all: with any less the tree is still marked. */
	if (failed == NULL)
		failed = tree_set_mode(place, job->mode);
	if (failed == NULL && fchown(report->top, job->owner.uid, job->owner.gid) != 0)
		failed = "fchown";
	if (failed == NULL)
		failed = end_transition(report->top);
	return failed == NULL || tree_fail_at_top(report, failed);
}

/* A tree whose top is right is walked all the same; the top is left alone but for its mode. */
bool tree_chown(const struct tree_job *job, struct tree_report *report)
{
	struct handover handover = { .owner = job->owner };
	struct tree_status top;
	const char *failed = tree_stat(report->top, "", &top) ? NULL : "statx";
	bool right = failed == NULL && tree_owned(&top, &job->owner);

	if (failed == NULL && !right)
		failed = begin_transition(report->top, &top, &handover);
	if (failed != NULL)
		return tree_fail_at_top(report, failed);
	if (!tree_walk(&top, !right, &visitor, &handover, report))
		return false;
	tree_report_count(report, 1, right ? 0 : 1);
	if (!right && !finish_top(&top, job, report))
		return false;
	if (right && (top.mode & 07777U) != job->mode)
		failed = tree_set_mode((struct tree_place){ report->top, "" }, job->mode);
	return failed == NULL ? tree_report_done(report) : tree_fail_at_top(report, failed);
}
