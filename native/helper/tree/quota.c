/* See quota.h. */
#include "quota.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "descriptor.h"
#include "walk.h"

/* New in Linux 5.14; the same number on every architecture. */
#ifndef SYS_quotactl_fd
#define SYS_quotactl_fd 443
#endif

#define PROJECT_MIN UINT32_C(0x80000000)
#define PROJECT_MAX UINT32_C(0xfffffffe)
/* Numbers that are tried for a tree that has none. */
#define PROJECTS_TRIED 64U
/* What the kernel counts space in (QIF_DQBLKSIZE). */
#define BLOCK UINT64_C(1024)

struct bounds {
	uint64_t bytes, inodes;
};

struct membership {
	uint32_t project;
	/* who has the tree: an inode of anybody else may have a name outside of it */
	uint32_t uid;
};

static bool parse_bounds(const char *text, struct bounds *bounds)
{
	char *end;

	errno = 0;
	bounds->bytes = strtoull(text, &end, 10);
	if (end == text || *end != ',')
		return false;
	const char *second = end + 1;

	bounds->inodes = strtoull(second, &end, 10);
	return end != second && *end == '\0' && errno == 0;
}

/* By the system call: glibc takes the request as an unsigned long, and musl as an int. */
static bool attributes_call(int descriptor, unsigned long request, struct fsxattr *attributes)
{
	return syscall(SYS_ioctl, descriptor, request, attributes) == 0;
}

static long quota_call(int top, unsigned int command, uint32_t project, void *data)
{
	return syscall(SYS_quotactl_fd, top, QCMD(command, PRJQUOTA), project, data);
}

/* Whether the file system counts projects, and holds them to their bounds. Returns NULL, or the call that failed, with errno. */
static const char *look(int top, bool *enforces)
{
	struct fs_quota_statv state = { .qs_version = FS_QSTATV_VERSION1 };

	if (quota_call(top, Q_XGETQSTATV, 0, &state) != 0)
		return "quotactl_fd";
	if ((state.qs_flags & FS_QUOTA_PDQ_ACCT) == 0) {
		errno = ESRCH;
		return "quotactl_fd";
	}
	*enforces = (state.qs_flags & FS_QUOTA_PDQ_ENFD) != 0;
	return NULL;
}

/* Puts an inode into a project; what is made in a directory of it later is in it from the beginning. Returns as look() does. */
static const char *join(int descriptor, uint32_t project, bool inherits)
{
	struct fsxattr attributes;

	if (!attributes_call(descriptor, FS_IOC_FSGETXATTR, &attributes))
		return "ioctl_fsxgetattr";
	uint32_t flags = attributes.fsx_xflags;

	attributes.fsx_xflags = inherits ? flags | FS_XFLAG_PROJINHERIT : flags & ~(uint32_t)FS_XFLAG_PROJINHERIT;
	if (attributes.fsx_projid == project && attributes.fsx_xflags == flags)
		return NULL;
	attributes.fsx_projid = project;
	return attributes_call(descriptor, FS_IOC_FSSETXATTR, &attributes) ? NULL : "ioctl_fsxsetattr";
}

/* How many inodes a project has. A project that nobody has ever had may not be known at all. */
static const char *inodes_of(int top, uint32_t project, uint64_t *inodes)
{
	struct if_dqblk usage = { 0 };

	*inodes = 0;
	if (quota_call(top, Q_GETQUOTA, project, &usage) != 0)
		return errno == ENOENT ? NULL : "quotactl_fd";
	*inodes = usage.dqb_curinodes;
	return NULL;
}

/* A number for a tree, always the same to begin with. */
static uint32_t candidate(const struct tree_status *top, uint32_t attempt)
{
	uint64_t mixed =
		(top->inode ^ ((uint64_t)top->device_major << 52) ^ ((uint64_t)top->device_minor << 32)) + attempt;

	mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
	return PROJECT_MIN + (uint32_t)((mixed ^ (mixed >> 31)) % (PROJECT_MAX - PROJECT_MIN + 1));
}

/*
 * Makes the top alone a project that nothing else is in. Two at a time that choose one number both see that they are not alone, and
 * both go on to the next one.
 */
static const char *choose(int top, const struct tree_status *status, uint32_t *project)
{
	for (uint32_t attempt = 0; attempt < PROJECTS_TRIED; attempt++) {
		uint64_t inodes;

		*project = candidate(status, attempt);
		const char *failed = inodes_of(top, *project, &inodes);

		if (failed == NULL && inodes > 0)
			continue;
		if (failed == NULL)
			failed = join(top, *project, false);
		if (failed == NULL)
			failed = inodes_of(top, *project, &inodes);
		if (failed != NULL || inodes == 1)
			return failed;
	}
	errno = ENOSPC;
	return "quotactl_fd";
}

/* Whether the directory above is in the same project: then it is that one's. */
static bool is_inherited(int top, const struct tree_status *status, uint32_t project)
{
	int above = openat(top, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct fsxattr attributes = { 0 };
	struct tree_status other;
	bool same = above >= 0 && tree_stat(above, "", &other) && other.mount == status->mount &&
		    attributes_call(above, FS_IOC_FSGETXATTR, &attributes) && attributes.fsx_projid == project;

	close_quietly(above);
	return same;
}

/* Of links, devices and sockets the kernel takes no project by an open file; they take no space. */
static bool join_entry(struct tree_worker *worker, const struct tree_batch *batch, const char *name)
{
	const struct membership *membership = worker->pool->context;
	struct tree_status status;

	if (!tree_stat(batch->directory, name, &status))
		return errno == ENOENT || tree_fail(worker->pool->report, "statx", batch->directory, name);
	if (!S_ISREG(status.mode) || status.mount != worker->pool->mount || status.uid != membership->uid)
		return true;
	int file = tree_open_file(batch->directory, name);

	if (file < 0)
		return errno == ENOENT || tree_fail(worker->pool->report, "openat2", batch->directory, name);
	const char *failed = NULL;

	/* It may have been replaced since. */
	if (tree_stat(file, "", &status) && S_ISREG(status.mode) && status.uid == membership->uid) {
		worker->changed++;
		failed = join(file, membership->project, false);
	}
	bool good = failed == NULL || tree_fail(worker->pool->report, failed, batch->directory, name);

	(void)close(file);
	return good;
}

/* Before it is read: what is made in it meanwhile is in the project then. */
static bool join_directory(struct tree_worker *worker, int descriptor, struct tree_status *status, bool *closed)
{
	const struct membership *membership = worker->pool->context;

	(void)closed;
	if (status->uid != membership->uid)
		return true;
	worker->changed++;
	const char *failed = join(descriptor, membership->project, true);

	return failed == NULL || tree_fail(worker->pool->report, failed, descriptor, "");
}

static const char *bound(int top, uint32_t project, const struct bounds *bounds)
{
	struct if_dqblk quota = {
		.dqb_bhardlimit = bounds->bytes / BLOCK + (bounds->bytes % BLOCK == 0 ? 0 : 1),
		.dqb_ihardlimit = bounds->inodes,
		.dqb_valid = QIF_LIMITS,
	};

	return quota_call(top, Q_SETQUOTA, project, &quota) == 0 ? NULL : "quotactl_fd";
}

bool tree_limit(const struct tree_job *job, struct tree_report *report)
{
	static const struct tree_visitor visitor = { .enter = join_directory,
						     .entry = join_entry,
						     .passes_over = true };
	struct fsxattr attributes = { 0 };
	struct tree_status top;
	struct bounds bounds;
	bool enforces = false;

	if (!parse_bounds(job->text, &bounds)) {
		errno = EINVAL;
		return tree_fail_at_top(report, "strtoull");
	}
	const char *refused = look(report->top, &enforces);

	if (refused == NULL && !enforces && (bounds.bytes != 0 || bounds.inodes != 0)) {
		errno = EOPNOTSUPP;
		refused = "quotactl_fd";
	}
	if (refused == NULL && !attributes_call(report->top, FS_IOC_FSGETXATTR, &attributes))
		refused = "ioctl_fsxgetattr";
	if (refused != NULL)
		return tree_report_refusal(report, refused);
	if (!tree_stat(report->top, "", &top))
		return tree_fail_at_top(report, "statx");

	struct membership membership = { .project = attributes.fsx_projid, .uid = top.uid };
	const char *failed = NULL;

	if (membership.project != 0 &&
	    (membership.project < PROJECT_MIN || is_inherited(report->top, &top, membership.project))) {
		errno = EEXIST;
		return tree_report_refusal(report, "project");
	}
	if (membership.project == 0)
		failed = choose(report->top, &top, &membership.project);
	if (failed != NULL)
		return tree_fail_at_top(report, failed);
	/* The top inherits once all that is below it is in the project: a walk that was interrupted is begun again. */
	if ((attributes.fsx_xflags & FS_XFLAG_PROJINHERIT) == 0) {
		if (!tree_walk(&top, false, &visitor, &membership, report))
			return false;
		tree_report_count(report, 1, 1);
		failed = join(report->top, membership.project, true);
	}
	if (failed == NULL)
		failed = bound(report->top, membership.project, &bounds);
	if (failed != NULL)
		return tree_fail_at_top(report, failed);
	return tree_report_done(report);
}
