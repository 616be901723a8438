/* See owned.h. */
#include "owned.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "descriptor.h"
#include "uid_range.h"
#include "walk.h"

/* "UID PATH" and the NUL that ends it. */
#define ENTRY_MAX (PATH_MAX + 32)
#define SEPARATOR "/"

/* Says the kernel's name of a place; one that is too long for it is told without its beginning, and cannot be adopted. */
static void say(const struct tree_status *status, int directory, const char *name)
{
	char path[PATH_MAX];
	bool is_told = descriptor_path(directory, path);
	/* The root has its slash already. */
	bool separated = name[0] == '\0' || strcmp(path, SEPARATOR) == 0;

	(void)printf("%u %s%s%s%c", status->uid, is_told ? path : "...", separated ? "" : SEPARATOR, name, '\0');
}

static bool find_entry(struct tree_worker *worker, const struct tree_batch *batch, const char *name)
{
	struct tree_status status;

	/* What is gone belongs to nobody. */
	if (tree_stat(batch->directory, name, &status) && status.mount == worker->pool->mount &&
	    uid_range_has(worker->pool->context, status.uid))
		say(&status, batch->directory, name);
	return true;
}

static bool find_directory(struct tree_worker *worker, int descriptor, const struct tree_status *status)
{
	if (uid_range_has(worker->pool->context, status->uid))
		say(status, descriptor, "");
	return true;
}

bool tree_find(const struct tree_job *job, struct tree_report *report)
{
	static const struct tree_visitor visitor = {
		.entry = find_entry,
		.directory = find_directory,
		.passes_over = true,
	};
	struct uid_range range;
	struct tree_status status;

	if (!uid_range_parse(job->text, &range)) {
		errno = EINVAL;
		return tree_fail_at_top(report, "find");
	}
	/* What is found is on standard output, and how far the walk is on standard error. */
	report->output = STDERR_FILENO;
	if (!tree_walk(&status, false, &visitor, &range, report))
		return false;
	if (uid_range_has(&range, status.uid))
		say(&status, report->top, "");
	if (fflush(stdout) != 0)
		return tree_fail_at_top(report, "write");
	return tree_report_done(report);
}

/* Opens the directory of a place, component by component, so that no symlink is followed. *path becomes the name in it. */
static int open_parent(int top, char **path)
{
	int directory = dup(top);

	for (char *slash = strchr(*path, '/'); directory >= 0 && slash != NULL; slash = strchr(*path, '/')) {
		*slash = '\0';
		int below = tree_open(directory, *path);

		(void)close(directory);
		directory = below;
		*path = slash + 1;
	}
	return directory;
}

/* Gives one place to its new owner if it is still the former one's. Returns the call that failed, with errno. */
static const char *adopt(int top, char *path, uint32_t former, const struct tree_owner *owner)
{
	struct tree_status status;
	int directory = open_parent(top, &path);

	if (directory < 0)
		return "openat2";
	int pinned = path[0] == '\0' ? dup(directory) : tree_pin(directory, path);

	close_quietly(directory);
	if (pinned < 0)
		return "openat2";
	const char *failed = tree_stat(pinned, "", &status) ? NULL : "statx";

	if (failed == NULL && status.uid != former) {
		errno = ESTALE;
		failed = "statx";
	}
	if (failed == NULL)
		failed = tree_give((struct tree_place){ .descriptor = pinned, .name = "" }, &status, owner);
	close_quietly(pinned);
	return failed;
}

bool tree_adopt(const struct tree_job *job, struct tree_report *report)
{
	/* Ends with the process. */
	char *line = NULL;
	size_t room = 0;
	ssize_t length;

	while ((length = getdelim(&line, &room, '\0', stdin)) > 0 && length <= ENTRY_MAX) {
		char *path = line;
		uint32_t former;

		if (!parse_id(strsep(&path, " "), &former) || path == NULL) {
			errno = EINVAL;
			return tree_fail_at_top(report, "adopt");
		}
		const char *failed = adopt(report->top, path, former, &job->owner);

		if (failed != NULL)
			tree_report_left(report, report->top,
					 strrchr(path, '/') == NULL ? path : strrchr(path, '/') + 1);
		tree_report_count(report, 1, failed == NULL ? 1 : 0);
	}
	return tree_report_done(report);
}
