/* The size of a tree, and of the work that a handover would be. Changes nothing. */
#include <errno.h>

#include "tree_verbs.h"
#include "tree_walk.h"

static bool entry(struct tree_walk *walk, void *context, int directory, const char *name)
{
	const struct tree_owner *owner = context;
	struct tree_status status;
	struct tree_path path;

	tree_report_inode(walk->report);
	if (!tree_look(directory, name, &status))
		return tree_fail(walk, "statx", errno, name);
	if (status.mount != walk->frames[0].status.mount) {
		tree_where(walk, name, &path);
		tree_report_mount(walk->report, &path);
	} else if (!tree_owned(&status, owner)) {
		walk->report->changed++;
	}
	return true;
}

static bool leave(struct tree_walk *walk, void *context, struct tree_frame *frame, int parent, const char *name)
{
	(void)parent;
	(void)name;
	if (!tree_owned(&frame->status, context))
		walk->report->changed++;
	return true;
}

static const struct tree_visitor visitor = { .entry = entry, .leave = leave };

bool tree_count(int top, const struct tree_owner *owner, struct tree_report *report)
{
	struct tree_walk walk;
	struct tree_owner wanted = *owner;
	bool good = tree_walk(&walk, top, report, &visitor, &wanted);

	if (good && !tree_owned(&walk.frames[0].status, owner))
		report->changed++;
	if (good)
		tree_report_done(report);
	else
		tree_report_failure(report, &walk.failure);
	tree_walk_end(&walk);
	return good;
}
