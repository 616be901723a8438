/* The size of a tree, and of the work that a handover would be. Changes nothing. */
#include <errno.h>

#include "commands.h"
#include "walk.h"

static bool entry(struct tree_worker *worker, const struct tree_batch *batch, const char *name)
{
	struct tree_status status;

	if (!tree_stat(batch->directory, name, &status))
		return tree_fail(worker, "statx", errno, batch->directory, name);
	if (status.mount != worker->pool->mount)
		tree_pool_report_mount(worker->pool, batch->directory, name);
	else if (!tree_owned(&status, worker->pool->context))
		worker->changed++;
	return true;
}

static bool directory(struct tree_worker *worker, int descriptor, const struct tree_status *status)
{
	(void)descriptor;
	worker->changed += tree_owned(status, worker->pool->context) ? 0 : 1;
	return true;
}

static const struct tree_visitor visitor = { .entry = entry, .directory = directory };

bool tree_count(int top, const struct tree_owner *owner, struct tree_report *report)
{
	struct tree_owner wanted = *owner;
	struct tree_failure failure = { .call = "statx", .path = { "." } };
	struct tree_top start = { .descriptor = top };

	if (!tree_stat(top, "", &start.status)) {
		failure.error = errno;
		tree_report_failure(report, &failure);
		return false;
	}
	if (!tree_walk(&start, &visitor, &wanted, report, &failure)) {
		tree_report_failure(report, &failure);
		return false;
	}
	tree_report_count(report, 1, tree_owned(&start.status, owner) ? 0 : 1);
	tree_report_done(report);
	return true;
}
