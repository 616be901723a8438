/* The removal of all that is below a directory. A mount point below it stays, and so do the directories on the way to it. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "tree_verbs.h"
#include "tree_walk.h"

static bool entry(struct tree_walk *walk, void *context, int directory, const char *name)
{
	(void)context;
	tree_report_inode(walk->report);
	/* Gone already is as good; anything else, a file that is mounted (EBUSY) among it, is told. */
	if (unlinkat(directory, name, 0) != 0 && errno != ENOENT)
		return tree_fail(walk, "unlinkat", errno, name);
	walk->removed = true;
	walk->report->changed++;
	return true;
}

static bool leave(struct tree_walk *walk, void *context, struct tree_frame *frame, int parent, const char *name)
{
	(void)context;
	(void)frame;
	if (unlinkat(parent, name, AT_REMOVEDIR) != 0)
		return tree_fail(walk, "unlinkat", errno, "");
	walk->report->changed++;
	return true;
}

static const struct tree_visitor visitor = { .entry = entry, .leave = leave, .removes = true };

bool tree_remove(int top, struct tree_report *report)
{
	struct tree_walk walk;
	bool good = tree_walk(&walk, top, report, &visitor, NULL);

	if (good)
		tree_report_done(report);
	else
		tree_report_failure(report, &walk.failure);
	tree_walk_end(&walk);
	return good;
}
