/* See report.h. */
#include "report.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "descriptor.h"

#define CUT "..."

static int64_t milliseconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* If nobody reads, the daemon is gone, and its successor starts over. */
void tree_report_say(struct tree_report *report, struct answer *line)
{
	if (!answer_write(report->output, line))
		exit(EXIT_FAILURE);
}

void tree_report_start(struct tree_report *report, int output, int top)
{
	*report = (struct tree_report){
		.output = output,
		.top = top,
		.next_progress = milliseconds() + TREE_PROGRESS_INTERVAL_MS,
		.mutex = PTHREAD_MUTEX_INITIALIZER,
	};
}

void tree_report_count(struct tree_report *report, uint64_t inodes, uint64_t changed)
{
	int64_t now = milliseconds();
	struct answer line = { .start = 0 };

	(void)pthread_mutex_lock(&report->mutex);
	report->inodes += inodes;
	report->changed += changed;
	if (now >= report->next_progress) {
		report->next_progress = now + TREE_PROGRESS_INTERVAL_MS;
		answer_begin(&line, "progress");
		answer_number(&line, report->inodes);
		answer_number(&line, report->changed);
		tree_report_say(report, &line);
	}
	(void)pthread_mutex_unlock(&report->mutex);
}

bool tree_report_done(struct tree_report *report)
{
	struct answer line = { .start = 0 };

	answer_begin(&line, "done");
	answer_number(&line, report->inodes);
	answer_number(&line, report->changed);
	answer_number(&line, report->left);
	answer_number(&line, report->mounts);
	tree_report_say(report, &line);
	return true;
}

bool tree_report_refusal(struct tree_report *report, const char *call)
{
	struct answer line = { .start = 0 };

	answer_begin(&line, "no");
	answer_word(&line, call);
	answer_number(&line, (uint64_t)errno);
	tree_report_say(report, &line);
	return true;
}

void tree_report_failure(struct tree_report *report)
{
	struct answer line = { .start = 0 };

	if (report->call == NULL) {
		answer_begin(&line, "changed");
	} else {
		answer_begin(&line, "failed");
		answer_word(&line, report->call);
		answer_number(&line, (uint64_t)report->error);
	}
	answer_text(&line, report->place);
	tree_report_say(report, &line);
}

/*
 * The path of NAME in a directory that is held open, or of the directory itself if NAME is "". Words for a person: the
 * kernel's name of the directory at this moment (proc_pid_fd(5)), without that of the top.
 */
static void find_path(char path[TEXT_MAX + 1], int top, int directory, const char *name)
{
	char start[PATH_MAX], found[PATH_MAX], whole[PATH_MAX + NAME_MAX + 2];
	const char *below = CUT;
	const char *slash = "/";

	if (descriptor_path(directory, found) && descriptor_path(top, start) &&
	    strncmp(found, start, strlen(start)) == 0) {
		below = found + strlen(start);
		below += below[0] == '/';
	}
	if (below[0] == '\0' || name[0] == '\0')
		slash = "";
	(void)snprintf(whole, sizeof(whole), "%s%s%s", below, slash, name);
	size_t length = strlen(whole);

	if (length == 0)
		(void)snprintf(path, TEXT_MAX + 1, ".");
	else if (length <= TEXT_MAX)
		memcpy(path, whole, length + 1);
	else
		(void)snprintf(path, TEXT_MAX + 1, CUT "%s", whole + length - TEXT_MAX + sizeof(CUT) - 1);
}

static void tell(struct tree_report *report, const char *word, uint64_t *count, int directory, const char *name)
{
	char path[TEXT_MAX + 1];
	struct answer line = { .start = 0 };

	find_path(path, report->top, directory, name);
	(void)pthread_mutex_lock(&report->mutex);
	if (++*count <= TREE_NAMED_MAX) {
		answer_begin(&line, word);
		answer_text(&line, path);
		tree_report_say(report, &line);
	}
	(void)pthread_mutex_unlock(&report->mutex);
}

void tree_report_mount(struct tree_report *report, int directory, const char *name)
{
	tell(report, "mount", &report->mounts, directory, name);
}

void tree_report_left(struct tree_report *report, int directory, const char *name)
{
	tell(report, "left", &report->left, directory, name);
}

static bool note(struct tree_report *report, const char *call, int error, int directory, const char *name)
{
	char path[TEXT_MAX + 1];

	find_path(path, report->top, directory, name);
	(void)pthread_mutex_lock(&report->mutex);
	if (report->place[0] == '\0') {
		report->call = call;
		report->error = error;
		memcpy(report->place, path, sizeof(path));
	}
	(void)pthread_mutex_unlock(&report->mutex);
	return false;
}

bool tree_changed(struct tree_report *report, int directory, const char *name)
{
	return note(report, NULL, 0, directory, name);
}

bool tree_fail(struct tree_report *report, const char *call, int directory, const char *name)
{
	/* What was listed a moment ago is gone, is now a symlink, or is no longer a directory. */
	if (errno == ENOENT || errno == ELOOP || errno == ENOTDIR || errno == ESTALE)
		return tree_changed(report, directory, name);
	return note(report, call, errno, directory, name);
}

bool tree_fail_at_top(struct tree_report *report, const char *call)
{
	return note(report, call, errno, report->top, "");
}
