#include "report.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "limits.h"

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

void tree_report_count(struct tree_report *report, uint64_t inodes, uint64_t changed)
{
	int64_t now = milliseconds();

	report->inodes += inodes;
	report->changed += changed;
	if (now < report->next_progress)
		return;
	report->next_progress = now + TREE_PROGRESS_INTERVAL_MS;
	struct answer line = { .start = 0 };

	answer_begin(&line, "progress");
	answer_number(&line, report->inodes);
	answer_number(&line, report->changed);
	say(report, &line);
}

static void name(struct tree_report *report, const char *word, const struct tree_path *path, uint64_t count)
{
	struct answer line = { .start = 0 };

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
	struct answer line = { .start = 0 };

	answer_begin(&line, "done");
	answer_number(&line, report->inodes);
	answer_number(&line, report->changed);
	answer_number(&line, report->left);
	answer_number(&line, report->mounts);
	say(report, &line);
}

void tree_report_failure(struct tree_report *report, const struct tree_failure *failure)
{
	struct answer line = { .start = 0 };

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

/* False if the kernel has no name for it: below PATH_MAX alone. */
static bool read_link(int descriptor, char path[PATH_MAX])
{
	char link[32];

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", descriptor);
	ssize_t length = readlink(link, path, PATH_MAX - 1);

	path[length < 0 ? 0 : length] = '\0';
	return length >= 0;
}

void tree_path_find(struct tree_path *path, int top, int directory, const char *name)
{
	char start[PATH_MAX], found[PATH_MAX], whole[PATH_MAX + NAME_MAX + 2];
	const char *below = CUT;
	const char *slash = "/";
	const size_t room = sizeof(path->text) - 1;

	if (read_link(directory, found) && read_link(top, start) && strncmp(found, start, strlen(start)) == 0) {
		below = found + strlen(start);
		below += below[0] == '/';
	}
	if (below[0] == '\0' || name[0] == '\0')
		slash = "";
	(void)snprintf(whole, sizeof(whole), "%s%s%s", below, slash, name);
	size_t length = strlen(whole);

	if (length == 0)
		(void)snprintf(path->text, sizeof(path->text), ".");
	else if (length <= room)
		memcpy(path->text, whole, length + 1);
	else
		(void)snprintf(path->text, sizeof(path->text), CUT "%s", whole + length - room + sizeof(CUT) - 1);
}
