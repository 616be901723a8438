/*
 * Owns what a tree verb says: lines on standard output, in the encoding of protocol.h.
 *
 *   progress INODES CHANGED            now and then, while it runs
 *   mount PATH | left PATH             a mount point, or an inode with several links that was not the former owner's:
 *                                      left as it was; the first TREE_NAMED_MAX of each
 *   done INODES CHANGED LEFT MOUNTS    the last line of a walk that came to its end
 *   yes | no CALL ERRNO                the answer of a probe
 *   failed CALL ERRNO PATH             the last line: the system refused a call
 *   changed PATH                       the last line: somebody changed the tree during the walk
 *
 * PATH is relative to the top, "." is the top; of a long one the end, after "...".
 */
#ifndef DYNUSER_HELPER_TREE_REPORT_H
#define DYNUSER_HELPER_TREE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol.h"

/* Where a walk stood, as it is told: the last bytes of a path. */
struct tree_path {
	char text[TEXT_MAX + 1];
};

struct tree_failure {
	/* the call that failed; NULL: the tree was changed */
	const char *call;
	int error;
	struct tree_path path;
};

struct tree_report {
	int output;
	uint64_t inodes, changed, left, mounts;
	int64_t next_progress;
};

void tree_report_start(struct tree_report *report, int output);

/* Adds to the counts; from time to time says how many they are. */
void tree_report_count(struct tree_report *report, uint64_t inodes, uint64_t changed);

/* Counts, and names the first ones. */
void tree_report_mount(struct tree_report *report, const struct tree_path *path);
void tree_report_left(struct tree_report *report, const struct tree_path *path);

void tree_report_done(struct tree_report *report);
void tree_report_failure(struct tree_report *report, const struct tree_failure *failure);

/*
 * The path of NAME in a directory that is held open, or of the directory itself if NAME is "". Words for a person: the
 * kernel's name of the directory at this moment (proc_pid_fd(5)), without that of the top.
 */
void tree_path_find(struct tree_path *path, int top, int directory, const char *name);

#endif
