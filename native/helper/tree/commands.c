/* Parses the arguments of `dynuser-helper tree` and starts the job. */
#include "commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "role.h"
#include "limits.h"

#define EXIT_USAGE 2

/* Permission bits: one to four octal digits. */
static bool parse_mode(const char *text, uint32_t *mode)
{
	size_t digits = strspn(text, "01234567");

	if (digits == 0 || digits > 4 || text[digits] != '\0')
		return false;
	*mode = (uint32_t)strtoul(text, NULL, 8);
	return true;
}

static bool parse_owner(char **argv, struct tree_owner *owner)
{
	return parse_id(argv[0], &owner->uid) && parse_id(argv[1], &owner->gid);
}

static int status_of(bool good)
{
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static enum role role_of(const char *verb)
{
	if (strcmp(verb, "count") == 0)
		return ROLE_TREE_READ;
	return strcmp(verb, "probe") == 0 ? ROLE_TREE_PROBE : ROLE_TREE_CHANGE;
}

static int run(int argc, char **argv, struct tree_report *report)
{
	const int top = TREE_TOP_DESCRIPTOR;
	struct tree_owner owner;
	uint32_t mode;

	if (argc == 4 && strcmp(argv[0], "chown") == 0 && parse_owner(argv + 1, &owner) && parse_mode(argv[3], &mode))
		return status_of(tree_chown(top, &owner, mode, report));
	if (argc == 3 && strcmp(argv[0], "count") == 0 && parse_owner(argv + 1, &owner))
		return status_of(tree_count(top, &owner, report));
	if (argc == 1 && strcmp(argv[0], "remove") == 0)
		return status_of(tree_remove(top, report));
	if (argc == 1 && strcmp(argv[0], "probe") == 0)
		return status_of(tree_probe(top, report));
	(void)fprintf(stderr, "dynuser-helper tree is started by dynuserd alone\n");
	return EXIT_USAGE;
}

int tree_main(int argc, char **argv)
{
	struct tree_report report;

	/* close_range(2) is there since Linux 5.9; before that Node's O_CLOEXEC has to do. */
	(void)syscall(SYS_close_range, TREE_TOP_DESCRIPTOR + 1U, ~0U, 0U);
	(void)setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + TREE_NICENESS);
	if (argc > 0 && !role_take(role_of(argv[0]))) {
		perror("dynuser-helper: capabilities");
		return EXIT_FAILURE;
	}
	tree_report_start(&report, STDOUT_FILENO);
	if (!tree_owner_prepare()) {
		perror("dynuser-helper: /proc/self/fd");
		return EXIT_FAILURE;
	}
	return run(argc, argv, &report);
}
