/* The handover of a tree to another owner. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "close.h"
#include "transition.h"
#include "commands.h"
#include "walk.h"

struct handover {
	struct tree_owner owner;
	struct tree_former_owners former;
};

/*
 * Closes a directory that changes hands anyway. So the inodes in it need not be pinned one by one either, which would take
 * longer than all the rest.
 */
static bool enter(struct tree_worker *worker, int descriptor, struct tree_status *status, bool *closed)
{
	const struct handover *handover = worker->pool->context;

	/* Of a tree that becomes root's, a closed directory would seem done. */
	if (tree_owned(status, &handover->owner) || handover->owner.uid == 0)
		return true;
	const char *failed = tree_close(descriptor, status, closed);

	return failed == NULL || tree_fail(worker, failed, errno, descriptor, "");
}

/*
 * An inode that may have a name outside of the tree: only that of an owner from whom the tree is taken is changed. Of one
 * in a directory that others can write to, the number of links says nothing.
 */
static bool foreign(const struct handover *handover, const struct tree_status *status, bool closed)
{
	return (status->links > 1 || !closed) && status->uid != handover->owner.uid &&
	       !tree_former_has(&handover->former, status->uid);
}

/* A directory that has its owner already is not closed. It is examined only if something in it has another owner. */
static bool is_closed(const struct handover *handover, const struct tree_batch *batch)
{
	struct tree_status status;

	return batch->closed || (tree_stat(batch->directory, "", &status) && tree_owned(&status, &handover->owner) &&
				tree_is_owners_alone(batch->directory, &status));
}

/* Changes the owner of an entry, if it is to be changed. */
static bool take(struct tree_worker *worker, const struct tree_batch *batch, const char *name, struct tree_place place,
		 const struct tree_status *status)
{
	const struct handover *handover = worker->pool->context;

	if (S_ISDIR(status->mode))
		return tree_changed(worker, batch->directory, name);
	worker->expects_change = false;
	if (tree_owned(status, &handover->owner))
		return true;
	if (foreign(handover, status, is_closed(handover, batch))) {
		tree_pool_report_left(worker->pool, batch->directory, name);
		return true;
	}
	worker->expects_change = true;
	worker->changed++;
	const char *failed = tree_give(place, status, &handover->owner);

	return failed == NULL || tree_fail(worker, failed, errno, batch->directory, name);
}

/* Where others can change the name, only what is pinned is decided on, whatever was seen before. */
static bool take_pinned(struct tree_worker *worker, const struct tree_batch *batch, const char *name,
			const struct tree_status *seen)
{
	struct tree_status status;
	int pinned = tree_pin(batch->directory, name);
	bool good;

	if (pinned < 0 && errno == EXDEV) {
		tree_pool_report_mount(worker->pool, batch->directory, name);
		return true;
	}
	if (pinned < 0)
		return tree_fail(worker, "openat2", errno, batch->directory, name);
	if (!tree_stat(pinned, "", &status))
		good = tree_fail(worker, "statx", errno, batch->directory, name);
	else if (seen != NULL && !tree_same(seen, &status))
		good = tree_changed(worker, batch->directory, name);
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
		return tree_fail(worker, "statx", errno, batch->directory, name);
	if (seen.mount != worker->pool->mount) {
		tree_pool_report_mount(worker->pool, batch->directory, name);
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
		return tree_fail(worker, "statx", errno, descriptor, "");
	/* One that got, lost or renamed an entry since it was read may have some that were never seen. */
	if (!tree_unchanged(status, &now))
		return tree_changed(worker, descriptor, "");
	worker->changed++;
	const char *failed = tree_reopen(descriptor, &now);

	if (failed == NULL)
		failed = tree_give((struct tree_place){ descriptor, "" }, &now, &handover->owner);
	return failed == NULL || tree_fail(worker, failed, errno, descriptor, "");
}

static const struct tree_visitor visitor = { .enter = enter, .entry = entry, .directory = directory };

static bool fail_at_top(struct tree_failure *failure, const char *call)
{
	*failure = (struct tree_failure){ .call = call, .error = errno, .path = { "." } };
	return false;
}

/* The top, once all that is below it is the new owner's; "marked" is what it was before the walk. */
static bool finish_top(const struct tree_top *marked, const struct tree_owner *owner, uint32_t mode,
		       struct tree_failure *failure)
{
	const struct tree_place place = { marked->descriptor, "" };
	struct tree_status now;

	if (!tree_stat(marked->descriptor, "", &now))
		return fail_at_top(failure, "statx");
	if (!tree_unchanged(&marked->status, &now))
		return fail_at_top(failure, NULL);
	const char *failed = tree_drop_acls(place, &now);

	/* Its owner last of all: with any less the tree is still marked. */
	if (failed == NULL)
		failed = tree_set_mode(place, mode);
	if (failed == NULL && fchown(marked->descriptor, owner->uid, owner->gid) != 0)
		failed = "fchown";
	if (failed == NULL)
		failed = tree_end_transition(marked->descriptor);
	return failed == NULL || fail_at_top(failure, failed);
}

static bool run(struct tree_top *top, struct handover *handover, uint32_t mode, struct tree_report *report,
		struct tree_failure *failure)
{
	if (!tree_stat(top->descriptor, "", &top->status))
		return fail_at_top(failure, "statx");
	/* A tree whose top is right is walked all the same; the top is left alone but for its mode. */
	const char *failed = NULL;
	bool right = tree_owned(&top->status, &handover->owner);

	if (!right)
		failed = tree_begin_transition(top->descriptor, &top->status, &handover->owner, &handover->former);
	if (failed == NULL && !tree_stat(top->descriptor, "", &top->status))
		failed = "statx";
	if (failed != NULL)
		return fail_at_top(failure, failed);
	top->closed = !right;
	if (!tree_walk(top, &visitor, handover, report, failure))
		return false;
	tree_report_count(report, 1, right ? 0 : 1);
	if (!right)
		return finish_top(top, &handover->owner, mode, failure);
	if ((top->status.mode & 07777U) != mode)
		failed = tree_set_mode((struct tree_place){ top->descriptor, "" }, mode);
	return failed == NULL || fail_at_top(failure, failed);
}

bool tree_chown(int top, const struct tree_owner *owner, uint32_t mode, struct tree_report *report)
{
	struct handover handover = { .owner = *owner };
	struct tree_top start = { .descriptor = top };
	struct tree_failure failure;

	if (!run(&start, &handover, mode, report, &failure)) {
		tree_report_failure(report, &failure);
		return false;
	}
	tree_report_done(report);
	return true;
}
