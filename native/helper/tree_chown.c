/* The handover of a tree to another owner. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tree_mark.h"
#include "tree_verbs.h"
#include "tree_walk.h"
#include "tree_writer.h"

struct handover {
	struct tree_owner owner;
	struct tree_former_owners former;
	struct tree_writer writer;
	/* Whether the next inode is expected to be wrong, like the last: it is then pinned before the first look. */
	bool pin_first;
};

/* False where the writer failed: what it says is what stopped the walk. */
static bool put(struct tree_walk *walk, struct handover *handover, int descriptor, const struct tree_status *status)
{
	if (tree_writer_put(&handover->writer, descriptor, status))
		return true;
	walk->failure = handover->writer.failure;
	return false;
}

/* A name of an inode that others may know by another: only that of the owner from whom the tree is taken is changed. */
static bool foreign_link(const struct handover *handover, const struct tree_status *status)
{
	return status->links > 1 && status->uid != handover->owner.uid &&
	       !tree_former_has(&handover->former, status->uid);
}

static bool take_pinned(struct tree_walk *walk, struct handover *handover, int pinned, const char *name,
			const struct tree_status *seen)
{
	struct tree_status status;
	struct tree_path path;

	if (!tree_look(pinned, "", &status))
		return tree_fail(walk, "statx", errno, name);
	if (S_ISDIR(status.mode) || (seen != NULL && !tree_same(seen, &status)))
		return tree_changed(walk, name);
	handover->pin_first = !tree_owned(&status, &handover->owner);
	if (handover->pin_first && foreign_link(handover, &status)) {
		tree_where(walk, name, &path);
		tree_report_left(walk->report, &path);
		handover->pin_first = false;
	}
	if (!handover->pin_first) {
		(void)close(pinned);
		return true;
	}
	const char *failed = tree_drop_acls(pinned, &status);

	return failed == NULL ? put(walk, handover, pinned, &status) : tree_fail(walk, failed, errno, name);
}

static bool mounted(struct tree_walk *walk, const char *name)
{
	struct tree_path path;

	tree_where(walk, name, &path);
	tree_report_mount(walk->report, &path);
	return true;
}

static bool entry(struct tree_walk *walk, void *context, int directory, const char *name)
{
	struct handover *handover = context;
	struct tree_status seen;
	bool looked = !handover->pin_first;

	tree_report_inode(walk->report);
	if (looked) {
		if (!tree_look(directory, name, &seen))
			return tree_fail(walk, "statx", errno, name);
		if (seen.mount != walk->frames[0].status.mount)
			return mounted(walk, name);
		if (tree_owned(&seen, &handover->owner))
			return true;
	}
	int pinned = tree_pin(directory, name);

	if (pinned < 0 && errno == EXDEV)
		return mounted(walk, name);
	if (pinned < 0)
		return tree_fail(walk, "openat2", errno, name);
	return take_pinned(walk, handover, pinned, name, looked ? &seen : NULL);
}

static bool leave(struct tree_walk *walk, void *context, struct tree_frame *frame, int parent, const char *name)
{
	struct handover *handover = context;
	int descriptor = frame->descriptor;

	(void)parent;
	(void)name;
	if (tree_owned(&frame->status, &handover->owner))
		return true;
	frame->descriptor = -1;
	return put(walk, handover, descriptor, &frame->status);
}

static const struct tree_visitor visitor = { .entry = entry, .leave = leave };

/* The top, once all that is below it is the new owner's; "before" is what it was after it was marked. */
static bool finish_top(struct tree_walk *walk, int top, const struct tree_status *before, const struct handover *handover,
		       uint32_t mode)
{
	struct tree_status now;

	if (!tree_look(top, "", &now))
		return tree_fail(walk, "statx", errno, "");
	if (!tree_unchanged(before, &now))
		return tree_changed(walk, "");
	const char *failed = tree_drop_acls(top, &now);

	/* Last of all its owner: with any less the tree is still marked. */
	if (failed == NULL)
		failed = tree_set_mode(top, mode);
	if (failed == NULL && fchown(top, handover->owner.uid, handover->owner.gid) != 0)
		failed = "fchown";
	if (failed == NULL)
		failed = tree_unmark(top);
	return failed == NULL || tree_fail(walk, failed, errno, "");
}

/* A tree whose top is right is walked all the same, and its top is left alone but for its mode. */
static bool run(struct tree_walk *walk, int top, struct handover *handover, uint32_t mode, struct tree_report *report)
{
	struct tree_status status;

	*walk = (struct tree_walk){ .report = report };
	if (!tree_look(top, "", &status))
		return tree_fail(walk, "statx", errno, "");
	bool right = tree_owned(&status, &handover->owner);
	const char *failed = right ? NULL : tree_mark(top, &status, &handover->owner, &handover->former);

	if (failed != NULL || !tree_look(top, "", &status))
		return tree_fail(walk, failed != NULL ? failed : "statx", errno, "");
	bool walked = tree_walk(walk, top, report, &visitor, handover);
	bool written = tree_writer_finish(&handover->writer);

	report->changed = handover->writer.given;
	if (!walked)
		return false;
	if (!written) {
		walk->failure = handover->writer.failure;
		return false;
	}
	if (!right) {
		report->changed++;
		return finish_top(walk, top, &status, handover, mode);
	}
	if ((status.mode & 07777U) == mode)
		return true;
	failed = tree_set_mode(top, mode);
	return failed == NULL || tree_fail(walk, failed, errno, "");
}

bool tree_chown(int top, const struct tree_owner *owner, uint32_t mode, struct tree_report *report)
{
	/* Some hundred kilobytes of batches, in the one job of this process. */
	static struct handover handover;
	static struct tree_walk walk;

	handover.owner = *owner;
	tree_writer_start(&handover.writer, top, owner);
	bool good = run(&walk, top, &handover, mode, report);

	if (good)
		tree_report_done(report);
	else
		tree_report_failure(report, &walk.failure);
	tree_walk_end(&walk);
	return good;
}
