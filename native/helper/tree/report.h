/*
 * Owns what a tree verb says: lines on standard output, in the encoding of protocol.h. Any thread may call it.
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

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol.h"

/* Progress is told at most that often. */
#define TREE_PROGRESS_INTERVAL_MS 100U
/* Mounts and inodes left alone that are told by name; the rest is counted. */
#define TREE_NAMED_MAX 16U

struct tree_report {
	int output;
	int top;
	uint64_t inodes, changed, left, mounts;
	int64_t next_progress;
	/* the first failure: the call, or NULL if the tree was changed; and where the walk stood, as it is told, or "" */
	const char *call;
	int error;
	char place[TEXT_MAX + 1];
	pthread_mutex_t mutex;
};

void tree_report_start(struct tree_report *report, int output, int top);

/* Adds to the counts; from time to time says how many they are. */
void tree_report_count(struct tree_report *report, uint64_t inodes, uint64_t changed);

/* Counts NAME in a directory that is held open, and names the first ones. */
void tree_report_mount(struct tree_report *report, int directory, const char *name);
void tree_report_left(struct tree_report *report, int directory, const char *name);

/* Notes what stops a walk, and where: of all that do the first. NAME is "" for the directory itself. Always false. */
bool tree_changed(struct tree_report *report, int directory, const char *name);

/* The same of a call that failed, with errno. An error that a change of the tree explains is noted as that. */
bool tree_fail(struct tree_report *report, const char *call, int directory, const char *name);
bool tree_fail_at_top(struct tree_report *report, const char *call);

/* Says one line. */
void tree_report_say(struct tree_report *report, struct answer *line);

/* Says the last line. The first two, the second with the call that was refused and errno, are always true. */
bool tree_report_done(struct tree_report *report);
bool tree_report_refusal(struct tree_report *report, const char *call);
void tree_report_failure(struct tree_report *report);

#endif
