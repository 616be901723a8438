/*
 * dynuser-helper: a child of dynuserd that answers what may block or crash, so that a foreign NSS module never
 * runs inside the daemon. It lives until its standard input ends; the daemon kills it if it does not answer in time.
 * It decides nothing: the daemon judges what it answers. The argument is its role, role.h; with "tree", "keep-locks", "namespace" or
 * "images" it is another program: tree/commands.h, lock_keeper.h, user_namespace.h, image/service.h, which the launcher starts.
 *
 * The daemon sets its environment: DYNUSER_NSS_BYPASS and SYSTEMD_BYPASS_USERDB, so that no question comes back to the
 * daemon by way of our own module or nss-systemd. What nss-systemd asks the service manager is switched here: probe/pid1.h.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "dynuser.h"
#include "image/service.h"
#include "known_threads.h"
#include "lock_keeper.h"
#include "passing.h"
#include "probe/pid1.h"
#include "protocol.h"
#include "questions.h"
#include "role.h"
#include "probe/sources.h"
#include "tree/commands.h"
#include "user_namespace.h"

/* Makes this process one that dumps no core, makes private files, and keeps no directory busy. */
static bool detach(void)
{
	umask(077);
	return prctl(PR_SET_DUMPABLE, 0) == 0 && chdir("/") == 0;
}

/* The same, and it dies with its parent. One that died before this call is noticed by the end of the standard input. */
static bool confine(void)
{
	return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && detach();
}

/* The daemon has a higher priority than others (src/host/priority.ts). Its helpers give it up. */
static void stand_back(void)
{
	if (getpriority(PRIO_PROCESS, 0) < 0)
		(void)setpriority(PRIO_PROCESS, 0, 0);
}

/* close_range(2) is there since Linux 5.9; before that, and below seccomp filters that refuse it, Node's O_CLOEXEC must be enough. */
static void close_inherited(unsigned int first)
{
	(void)syscall(SYS_close_range, first, ~0U, 0U);
}

/* An NSS module that prints must not speak in our name: what it writes to standard output goes to standard error. */
static int take_output(void)
{
	int output = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);

	return output < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0 ? -1 : output;
}

/* The UIDs that dynamic users have; without an argument, the usual ones. */
static bool read_range(int count, char **arguments, struct uid_range *range)
{
	static const struct uid_interval usual = { DYNUSER_UID_MIN, DYNUSER_UID_MAX };

	*range = (struct uid_range){ &usual, 1 };
	return count == 0 || (count == 1 && uid_range_parse(arguments[0], range));
}

int main(int argc, char **argv)
{
	static struct known_list lists[2];
	char line[QUESTION_MAX];
	struct answer answer;
	struct context context = { .sources_error = 0 };
	struct stat sources;
	enum role role;

	stand_back();
	if (argc > 1 && strcmp(argv[1], "tree") == 0) {
		close_inherited(TREE_TOP_DESCRIPTOR + 1);
		return confine() ? tree_main(argc - 2, argv + 2) : EXIT_FAILURE;
	}
	if (argc > 1 && strcmp(argv[1], "keep-locks") == 0) {
		close_inherited(KEEPER_CONNECTION + 1);
		return detach() ? lock_keeper_main(argc - 2, argv + 2) : EXIT_FAILURE;
	}
	if (argc == 2 && strcmp(argv[1], "images") == 0) {
		close_inherited(PASSING_CONNECTION + 1);
		return confine() ? image_main() : EXIT_FAILURE;
	}
	if (argc == 3 && strcmp(argv[1], "namespace") == 0)
		return namespace_main(argv[2]);
	if (argc < 2 || !role_named(argv[argc - 1], &role) || !read_range(argc - 2, argv + 1, &context.dynamic)) {
		(void)fprintf(stderr, "dynuser-helper: it is started by dynuserd alone; dynuserctl asks that\n");
		return EXIT_USAGE;
	}
	close_inherited(STDERR_FILENO + 1);
	int output = confine() && role_take(role) && pid1_lookup_prepare() ? take_output() : -1;

	if (output < 0) {
		perror("dynuser-helper");
		return EXIT_FAILURE;
	}
	known_prepare(&context.threads, lists);
	context.sources_error = sources_configure(NSSWITCH_CONF, &sources);

	while (question_read(STDIN_FILENO, line)) {
		/* glibc keeps the first configuration of a process, so a new one needs a new process. */
		bool changed = sources_changed(NSSWITCH_CONF, &sources);

		answer_clear(&answer);
		if (changed)
			answer_begin(&answer, "again");
		else
			answer_line(line, role, &context, &answer);
		if (!answer_write(output, &answer) || changed)
			break;
	}
	return EXIT_SUCCESS;
}
