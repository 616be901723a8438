/* The removal of all that is below a directory. A mount point below it stays, and so do the directories on the way to it. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "commands.h"
#include "walk.h"

static bool entry(struct tree_worker *worker, const struct tree_batch *batch, const char *name)
{
	worker->changed++;
	/* Gone already is as good; anything else is told, as EBUSY of a file that is a mount point. */
	return unlinkat(batch->directory, name, 0) == 0 || errno == ENOENT ||
	       tree_fail(worker, "unlinkat", errno, batch->directory, name);
}

static bool directory(struct tree_worker *worker, int parent, const char *name)
{
	tree_pool_report_count(worker->pool, 0, 1);
	return unlinkat(parent, name, AT_REMOVEDIR) == 0 || tree_fail(worker, "unlinkat", errno, parent, name);
}

static const struct tree_visitor visitor = { .entry = entry, .remove = directory };

bool tree_remove(int top, struct tree_report *report)
{
	struct tree_failure failure = { .call = "statx", .path = { "." } };
	struct tree_top start = { .descriptor = top };

	if (!tree_stat(top, "", &start.status)) {
		failure.error = errno;
		tree_report_failure(report, &failure);
		return false;
	}
	if (!tree_walk(&start, &visitor, NULL, report, &failure)) {
		tree_report_failure(report, &failure);
		return false;
	}
	tree_report_done(report);
	return true;
}
