/* The verbs but chown, and how they are started. */
#include "commands.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
/* After the library's own, which has the same names, or none. */
#include <linux/mount.h>

#include "descriptor.h"
#include "owned.h"
#include "quota.h"
#include "role.h"
#include "user_namespace.h"
#include "walk.h"

/* How far the walk yields to the daemon, which answers requests meanwhile: nice(2). */
#define NICENESS 5

static bool count_entry(struct tree_worker *worker, const struct tree_batch *batch, const char *name)
{
	struct tree_status status;

	if (!tree_stat(batch->directory, name, &status))
		return tree_fail(worker->pool->report, "statx", batch->directory, name);
	if (status.mount != worker->pool->mount)
		tree_report_mount(worker->pool->report, batch->directory, name);
	else if (!tree_owned(&status, worker->pool->context))
		worker->changed++;
	return true;
}

static bool count_directory(struct tree_worker *worker, int descriptor, const struct tree_status *status)
{
	(void)descriptor;
	worker->changed += tree_owned(status, worker->pool->context) ? 0 : 1;
	return true;
}

/* The size of a tree, and of the work that a handover would be. Changes nothing. */
static bool count(const struct tree_job *job, struct tree_report *report)
{
	static const struct tree_visitor visitor = { .entry = count_entry, .directory = count_directory };
	struct tree_owner owner = job->owner;
	struct tree_status status;

	if (!tree_walk(&status, false, &visitor, &owner, report))
		return false;
	tree_report_count(report, 1, tree_owned(&status, &owner) ? 0 : 1);
	return tree_report_done(report);
}

static bool remove_entry(struct tree_worker *worker, const struct tree_batch *batch, const char *name)
{
	worker->changed++;
	/* Gone already is as good; anything else is told, as EBUSY of a file that is a mount point. */
	return unlinkat(batch->directory, name, 0) == 0 || errno == ENOENT ||
	       tree_fail(worker->pool->report, "unlinkat", batch->directory, name);
}

static bool remove_directory(struct tree_worker *worker, int parent, const char *name)
{
	tree_report_count(worker->pool->report, 0, 1);
	return unlinkat(parent, name, AT_REMOVEDIR) == 0 || tree_fail(worker->pool->report, "unlinkat", parent, name);
}

/* The removal of all that is below a directory. A mount point below it stays, and so do the directories on the way to it. */
static bool remove_all(const struct tree_job *job, struct tree_report *report)
{
	static const struct tree_visitor visitor = { .entry = remove_entry, .remove = remove_directory };
	struct tree_status status;

	(void)job;
	if (!tree_walk(&status, false, &visitor, NULL, report))
		return false;
	return tree_report_done(report);
}

/* Makes an id-mapped mount that is attached nowhere, the way of mount_setattr(2), and lets it go. */
static const char *map(int top, int namespace)
{
	struct mount_attr attributes = {
		.attr_set = MOUNT_ATTR_IDMAP | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
		.userns_fd = (__u64) namespace,
	};
	int mount = (int)syscall(SYS_open_tree, top, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (mount < 0)
		return "open_tree";
	const char *refused =
		syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) == 0 ?
			NULL :
			"mount_setattr";

	close_quietly(mount);
	return refused;
}

/* Whether the file system of a tree can show it under other owners. */
static bool probe(const struct tree_job *job, struct tree_report *report)
{
	struct answer line = { .start = 0 };
	int namespace = -1;
	const char *refused = namespace_open(&namespace);

	(void)job;
	if (refused == NULL)
		refused = map(report->top, namespace);
	close_quietly(namespace);
	if (refused != NULL)
		return tree_report_refusal(report, refused);
	answer_begin(&line, "yes");
	tree_report_say(report, &line);
	return true;
}

static const struct verb {
	const char *name;
	/* of these: UID GID MODE; one alone is a text */
	int arguments;
	enum role role;
	bool (*run)(const struct tree_job *job, struct tree_report *report);
} verbs[] = {
	{ "chown", 3, ROLE_TREE_CHANGE, tree_chown },  { "count", 2, ROLE_TREE_READ, count },
	{ "remove", 0, ROLE_TREE_CHANGE, remove_all }, { "probe", 0, ROLE_TREE_PROBE, probe },
	{ "find", 1, ROLE_TREE_READ, tree_find },      { "adopt", 2, ROLE_TREE_CHANGE, tree_adopt },
	{ "limit", 1, ROLE_TREE_CHANGE, tree_limit },
};

/* Permission bits: one to four octal digits. */
static bool parse_mode(const char *text, uint32_t *mode)
{
	size_t digits = strspn(text, "01234567");

	if (digits == 0 || digits > 4 || text[digits] != '\0')
		return false;
	*mode = (uint32_t)strtoul(text, NULL, 8);
	return true;
}

/* Returns NULL for a usage error. */
static const struct verb *parse(int argc, char **argv, struct tree_job *job)
{
	for (size_t i = 0; argc > 0 && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].name, argv[0]) != 0 || verbs[i].arguments != argc - 1)
			continue;
		if (argc == 2) {
			job->text = argv[1];
			return &verbs[i];
		}
		bool good = (argc < 3 || (parse_id(argv[1], &job->owner.uid) && parse_id(argv[2], &job->owner.gid))) &&
			    (argc < 4 || parse_mode(argv[3], &job->mode));

		return good ? &verbs[i] : NULL;
	}
	return NULL;
}

int tree_main(int argc, char **argv)
{
	struct tree_job job = { 0 };
	struct tree_report report;
	const struct verb *verb = parse(argc, argv, &job);

	if (verb == NULL) {
		(void)fprintf(stderr, "dynuser-helper tree is started by dynuserd alone\n");
		return EXIT_USAGE;
	}
	(void)setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + NICENESS);
	if (!role_take(verb->role)) {
		perror("dynuser-helper: capabilities");
		return EXIT_FAILURE;
	}
	if (chdir(TREE_WORKING_DIRECTORY) != 0) {
		perror("dynuser-helper: " TREE_WORKING_DIRECTORY);
		return EXIT_FAILURE;
	}
	tree_report_start(&report, STDOUT_FILENO, TREE_TOP_DESCRIPTOR);
	if (verb->run(&job, &report))
		return EXIT_SUCCESS;
	tree_report_failure(&report);
	return EXIT_FAILURE;
}
