#include "tree_report.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tree_limits.h"

#define CUT "..."

static int64_t milliseconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Nobody who reads is nobody to work for: the daemon is gone, and its successor starts over. */
static void say(struct tree_report *report, struct answer *line)
{
	if (!answer_write(report->output, line))
		exit(EXIT_FAILURE);
}

void tree_report_start(struct tree_report *report, int output)
{
	*report = (struct tree_report){ .output = output, .next_progress = milliseconds() + TREE_PROGRESS_INTERVAL_MS };
}

void tree_report_inode(struct tree_report *report)
{
	struct answer line;

	if (++report->inodes % TREE_PROGRESS_STRIDE != 0)
		return;
	int64_t now = milliseconds();

	if (now < report->next_progress)
		return;
	report->next_progress = now + TREE_PROGRESS_INTERVAL_MS;
	answer_begin(&line, "progress");
	answer_number(&line, report->inodes);
	answer_number(&line, report->changed);
	say(report, &line);
}

static void name(struct tree_report *report, const char *word, const struct tree_path *path, uint64_t count)
{
	struct answer line;

	if (count > TREE_NAMED_MAX)
		return;
	answer_begin(&line, word);
	answer_text(&line, path->text);
	say(report, &line);
}

void tree_report_mount(struct tree_report *report, const struct tree_path *path)
{
	name(report, "mount", path, ++report->mounts);
}

void tree_report_left(struct tree_report *report, const struct tree_path *path)
{
	name(report, "left", path, ++report->left);
}

void tree_report_done(struct tree_report *report)
{
	struct answer line;

	answer_begin(&line, "done");
	answer_number(&line, report->inodes);
	answer_number(&line, report->changed);
	answer_number(&line, report->left);
	answer_number(&line, report->mounts);
	say(report, &line);
}

void tree_report_failure(struct tree_report *report, const struct tree_failure *failure)
{
	struct answer line;

	if (failure->call == NULL) {
		answer_begin(&line, "changed");
	} else {
		answer_begin(&line, "failed");
		answer_word(&line, failure->call);
		answer_number(&line, (uint64_t)failure->error);
	}
	answer_text(&line, failure->path.text);
	say(report, &line);
}

void tree_path_start(struct tree_path *path, const char *last)
{
	size_t length = strlen(last);
	const size_t room = sizeof(path->text) - 1;

	memcpy(path->text, length > room ? last + length - room : last, (length > room ? room : length) + 1);
}

void tree_path_prepend(struct tree_path *path, const char *component)
{
	size_t length = strlen(component);
	size_t present = strlen(path->text);
	const size_t room = sizeof(path->text) - 1;

	if (strncmp(path->text, CUT "/", sizeof(CUT)) == 0)
		return;
	if (length + 1 + present > room) {
		component = CUT;
		length = sizeof(CUT) - 1;
		if (length + 1 + present > room)
			present = room - length - 1;
		memmove(path->text, path->text + strlen(path->text) - present, present + 1);
	}
	memmove(path->text + length + 1, path->text, present + 1);
	memcpy(path->text, component, length);
	path->text[length] = '/';
}
