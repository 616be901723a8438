/* A child, a pipe, and a deadline; see getent.h. */
#include "getent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "deadline.h"
#include "cli/fail.h"

#define MS_PER_S 1000U
#define ROOM_MIN 4096U
/* getent(1), EXIT STATUS. */
#define EXIT_NO_DATABASE 1
#define EXIT_NOT_FOUND 2

struct run {
	const char *path;
	const char *database;
	pid_t child;
	/* The end of its output, -1 once it is closed, and its pidfd. */
	int output, process;
	size_t room;
	struct getent_answer *answer;
};

static const char *find_getent(void)
{
	static const char *const places[] = { "/usr/bin/getent", "/bin/getent" };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (access(places[i], F_OK) == 0)
			return places[i];
		if (errno != ENOENT && errno != ENOTDIR)
			fail_errno(errno, "cannot look for %s", places[i]);
	}
	return NULL;
}

/* Every other descriptor is closed by execve(2), and no signal is blocked or ignored: inherited_take() saw to both. */
static _Noreturn void become(const struct run *run, char *const *arguments, int output, pid_t launcher)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", locale[] = "LC_ALL=C";
	char *environment[] = { path, locale, NULL };
	int input = open("/dev/null", O_RDONLY | O_CLOEXEC);

	/* A launcher that is killed leaves nobody who waits for a source that hangs. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		fail_errno(errno, "cannot tie %s to the launcher", run->path);
	if (getppid() != launcher)
		fail(STATUS_LAUNCHER, "the launcher ended before %s was asked", run->path);
	if (input < 0 || dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0)
		fail_errno(errno, "cannot have streams for %s", run->path);
	(void)execve(run->path, arguments, environment);
	fail_errno(errno, "cannot execute %s", run->path);
}

static void begin(struct run *run, const char *const *keys, size_t count)
{
	const char **arguments = malloc((count + 3) * sizeof(*arguments));
	pid_t launcher = getpid();
	int ends[2];

	if (arguments == NULL)
		fail(STATUS_LAUNCHER, "out of memory");
	arguments[0] = "getent";
	arguments[1] = run->database;
	memcpy(arguments + 2, keys, count * sizeof(*keys));
	arguments[count + 2] = NULL;
	if (pipe2(ends, O_CLOEXEC) != 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0)
		fail_errno(errno, "cannot have a pipe for %s", run->path);
	run->child = fork();
	if (run->child < 0)
		fail_errno(errno, "cannot have a process for %s", run->path);
	if (run->child == 0)
		/* execve(2) changes none of them; its type is older than const. */
		become(run, (char *const *)(void *)arguments, ends[1], launcher);
	(void)close(ends[1]);
	free(arguments);
	run->output = ends[0];
	run->process = (int)syscall(SYS_pidfd_open, run->child, 0);
	if (run->process < 0)
		fail_errno(errno, "cannot watch %s", run->path);
}

static void make_room(struct run *run)
{
	struct getent_answer *answer = run->answer;
	size_t room = run->room == 0 ? ROOM_MIN : run->room * 2;
	char *text;

	if (run->room - answer->length > 1)
		return;
	text = realloc(answer->text, room);
	if (text == NULL)
		fail(STATUS_LAUNCHER, "out of memory");
	answer->text = text;
	run->room = room;
}

/* Takes what there is. False: there is nothing, now or any more. */
static bool take(struct run *run)
{
	struct getent_answer *answer = run->answer;
	ssize_t more;

	make_room(run);
	more = run->output < 0 ? 0 : read(run->output, answer->text + answer->length, run->room - answer->length - 1);
	if (more < 0 && errno == EINTR)
		return true;
	if (more < 0 && errno != EAGAIN)
		fail_errno(errno, "cannot read what %s says", run->path);
	if (more == 0 && run->output >= 0) {
		(void)close(run->output);
		run->output = -1;
	}
	if (more <= 0)
		return false;
	answer->length += (size_t)more;
	if (answer->length > GETENT_BYTES_MAX)
		fail(STATUS_LAUNCHER, "'%s %s' answered with more than %u bytes", run->path, run->database, GETENT_BYTES_MAX);
	return true;
}

/*
 * Up to the end of the process, and what is in the pipe then: a module may have left a process behind that keeps the pipe open,
 * and the process may go on after it closed it.
 */
static void read_to_the_end(struct run *run)
{
	const struct deadline deadline = deadline_after(GETENT_SECONDS * MS_PER_S);

	for (;;) {
		struct pollfd events[] = { { .fd = run->output, .events = POLLIN }, { .fd = run->process, .events = POLLIN } };
		int left = deadline_left(&deadline);
		bool ended;

		if (left == 0) {
			(void)kill(run->child, SIGKILL);
			fail(STATUS_LAUNCHER, "'%s %s' takes longer than %u seconds; a source in /etc/nsswitch.conf does not answer", run->path,
			     run->database, GETENT_SECONDS);
		}
		if (poll(events, sizeof(events) / sizeof(events[0]), left) < 0 && errno != EINTR)
			fail_errno(errno, "cannot wait for %s", run->path);
		ended = (events[1].revents & POLLIN) != 0;
		while (take(run) && ended)
			continue;
		if (ended)
			return;
	}
}

static int status_of(const struct run *run)
{
	int status;

	while (waitpid(run->child, &status, 0) < 0) {
		if (errno != EINTR)
			fail_errno(errno, "lost %s", run->path);
	}
	if (WIFSIGNALED(status))
		fail(STATUS_LAUNCHER, "'%s %s' was ended by signal %d (%s); a source in /etc/nsswitch.conf may have crashed", run->path,
		     run->database, WTERMSIG(status), strsignal(WTERMSIG(status)));
	return WEXITSTATUS(status);
}

enum getent_end getent_ask(const char *database, const char *const *keys, size_t count, struct getent_answer *answer)
{
	struct run run = { .path = find_getent(), .database = database, .answer = answer };
	int status;

	*answer = (struct getent_answer){ 0 };
	if (run.path == NULL)
		return GETENT_ABSENT;
	begin(&run, keys, count);
	read_to_the_end(&run);
	if (run.output >= 0)
		(void)close(run.output);
	(void)close(run.process);
	answer->text[answer->length] = '\0';
	status = status_of(&run);
	if (status == EXIT_SUCCESS || status == EXIT_NOT_FOUND)
		return status == EXIT_SUCCESS ? GETENT_FOUND : GETENT_NOT_FOUND;
	free(answer->text);
	*answer = (struct getent_answer){ 0 };
	if (status == EXIT_NO_DATABASE)
		return GETENT_NO_DATABASE;
	/* The child has said it. */
	if (status == STATUS_LAUNCHER)
		_exit(STATUS_LAUNCHER);
	fail(STATUS_LAUNCHER, "'%s %s' failed with exit status %d", run.path, database, status);
}
