/* The command line: what each option means, and what is refused. No arguments. */
#include "cli/options.h"
#include "protocol/launch_request.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define WORDS_MAX 32

struct line {
	char *words[WORDS_MAX];
	int count;
};

static struct line line_of(const char *text)
{
	struct line line = { .count = 0 };
	char *copy = strdup(text);

	CHECK(copy != NULL, "no memory");
	for (char *word = strtok(copy, "|"); word != NULL && line.count < WORDS_MAX - 1; word = strtok(NULL, "|"))
		line.words[line.count++] = word;
	return line;
}

/* Words are separated by |. */
static struct options read_line(const char *text)
{
	static struct line line;

	line = line_of(text);
	return options_read(line.count, line.words);
}

static int status_of(const char *text)
{
	pid_t child = fork();
	int status = -1;

	CHECK(child >= 0, "%s", strerror(errno));
	if (child == 0) {
		(void)dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
		(void)dup2(STDERR_FILENO, STDOUT_FILENO);
		(void)read_line(text);
		_exit(77);
	}
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status), "%s", text);
	return WEXITSTATUS(status);
}

static void test_values(void)
{
	struct options options = read_line(
		"dynuser-run|-p|A=b|--property=C=|-pD=e=f|--uid=games|--gid|7|-u|x.service|--isolation=best-effort|"
		"--ignore-unknown|--untrusted|--explain|--clear-environment|-E|V=w|cmd|-p|x");

	CHECK(options.properties.count == 5, "%zu", options.properties.count);
	CHECK(strcmp(options.properties.items[0], "A=b") == 0 && strcmp(options.properties.items[1], "C=") == 0 &&
		      strcmp(options.properties.items[2], "D=e=f") == 0 &&
		      strcmp(options.properties.items[3], "User=games") == 0 &&
		      strcmp(options.properties.items[4], "Group=7") == 0,
	      "%s %s", options.properties.items[2], options.properties.items[3]);
	CHECK(strcmp(options.unit, "x.service") == 0 && options.isolation == ISOLATION_BEST_EFFORT, "%s", options.unit);
	CHECK(options.ignore_unknown && options.untrusted && options.explain && options.clear_environment, "flags");
	CHECK(strcmp(options.environment.items[0], "V=w") == 0, "%s", options.environment.items[0]);
	CHECK(strcmp(options.command[0], "cmd") == 0 && strcmp(options.command[1], "-p") == 0 &&
		      options.command[3] == NULL,
	      "what follows the command is its own");
}

static void test_environment(void)
{
	struct options options;

	CHECK(setenv("DYNUSER_TEST", "a b", 1) == 0 && unsetenv("DYNUSER_NONE") == 0, "%s", strerror(errno));
	options = read_line("dynuser-run|-EDYNUSER_TEST|--setenv=DYNUSER_NONE|--|-cmd");
	CHECK(strcmp(options.environment.items[0], "DYNUSER_TEST=a b") == 0 &&
		      strcmp(options.environment.items[1], "DYNUSER_NONE=") == 0,
	      "%s", options.environment.items[0]);
	CHECK(strcmp(options.command[0], "-cmd") == 0, "%s", options.command[0]);
}

static void test_paths(void)
{
	struct options options;

	CHECK(chdir("/usr/bin") == 0, "%s", strerror(errno));
	options = read_line("dynuser-run|-d|--working-directory=/a%b|--working-directory=c|cmd");
	CHECK(strcmp(options.properties.items[0], "WorkingDirectory=/usr/bin") == 0, "%s", options.properties.items[0]);
	CHECK(strcmp(options.properties.items[1], "WorkingDirectory=/a%%b") == 0, "%s", options.properties.items[1]);
	CHECK(strcmp(options.properties.items[2], "WorkingDirectory=/usr/bin/c") == 0, "%s",
	      options.properties.items[2]);
	options = read_line("dynuser-run|--unit-file=x@.service|--instance=1");
	CHECK(strcmp(options.unit_file, "/usr/bin/x@.service") == 0 && strcmp(options.instance, "1") == 0, "%s",
	      options.unit_file);
}

static void test_phases(void)
{
	struct options options = read_line("dynuser-run|--unit-file=/x|--stop|--main-pid=7");

	CHECK(strcmp(options.phase, "stop") == 0 && options.main_pid == 7 && options.ended == NULL, "stop");
	options = read_line("dynuser-run|--stop-post=TERM|--unit-file=/x");
	CHECK(strcmp(options.phase, "stopPost") == 0 && strcmp(options.ended, "TERM") == 0, "after the end");
	options = read_line("dynuser-run|--unit-file=/x|--stop-post");
	CHECK(strcmp(options.phase, "stopPost") == 0 && options.ended == NULL, "after an end that is not known");
	options = read_line("dynuser-run|--unit-file=/x|--reload|--reload");
	CHECK(strcmp(options.phase, "reload") == 0, "reload");
	options = read_line("dynuser-run|--unit-file=/x|--start-post");
	CHECK(strcmp(options.phase, "startPost") == 0, "start");
}

static void test_systemd_run(void)
{
	struct options options = read_line("dynuser-run|--wait|--pipe|-PtqG|--pty|--quiet|--collect|--no-block|"
					   "--slice=a.slice|--description|text|--expand-environment=no|-|x");

	CHECK(strcmp(options.command[0], "-") == 0 && options.properties.count == 0, "%s", options.command[0]);
}

static void expect_typed(const char *line, const char *field, const char *expected)
{
	struct options options = read_line(line);
	char text[64];

	field_label_write(&options, field, text, sizeof(text));
	CHECK(strcmp(text, expected) == 0, "%s of %s: '%s'", field, line, text);
}

/* What an error is about is called as it was typed: by the option or by the property, whichever came last. */
static void test_typed(void)
{
	expect_typed("dynuser-run|--uid=games|cmd", "User", "--uid=: ");
	expect_typed("dynuser-run|--uid|games|-pUser=x|cmd", "User", "User=: ");
	expect_typed("dynuser-run|-pUser=x|--uid=games|-pUsers=y|cmd", "User", "--uid=: ");
	expect_typed("dynuser-run|--gid=x|cmd", "Group", "--gid=: ");
	expect_typed("dynuser-run|--gid=x|cmd", "User", "User=: ");
	expect_typed("dynuser-run|-d|cmd", "WorkingDirectory", "--same-dir: ");
	expect_typed("dynuser-run|--working-directory=/x|cmd", "WorkingDirectory", "--working-directory=: ");
	expect_typed("dynuser-run|--service-type=forking|cmd", "Type", "--service-type=: ");
	expect_typed("dynuser-run|--uid=x|cmd", "/etc/x.service:3: User", "/etc/x.service:3: User=: ");
	expect_typed("dynuser-run|cmd", "/etc/x.env:3", "/etc/x.env:3: ");
	expect_typed("dynuser-run|cmd", "unit", "--unit=: ");
	expect_typed("dynuser-run|cmd", "setEnvironment", "--setenv=: ");
	expect_typed("dynuser-run|cmd", "StateDirectoryMode", "StateDirectoryMode=: ");
	expect_typed("dynuser-run|--unit-file=/x|--stop", "mainPid", "--main-pid=: ");
	expect_typed("dynuser-run|--unit-file=/x|--stop-post=x", "ended", "--stop-post=: ");
	expect_typed("dynuser-run|--unit-file=/x|--stop", "phase", "");
	expect_typed("dynuser-run|--untrusted|cmd", "untrusted", "--untrusted: ");
	expect_typed("dynuser-run|--passwd-overlay|cmd", "passwdOverlay", "--passwd-overlay: ");
	expect_typed("dynuser-run|--untrusted|cmd", "--untrusted: PrivateNetwork", "--untrusted: PrivateNetwork=: ");
	expect_typed("dynuser-run|cmd", "properties", "");
	expect_typed("dynuser-run|cmd", "", "");
	expect_typed("dynuser-run|cmd", "/%s%n", "/%s%n: ");
	expect_typed("dynuser-run|cmd", "/a/path/that/is/longer/than/there/is/room/for/in/the/text/of/the/caller: User",
		     "");
}

static void test_refusals(void)
{
	static const char *const refused[] = {
		"dynuser-run",
		"dynuser-run|--",
		"dynuser-run|-p",
		"dynuser-run|-p|A|cmd",
		"dynuser-run|--property==b|cmd",
		"dynuser-run|--what|cmd",
		"dynuser-run|-x|cmd",
		"dynuser-run|--prop=A=b|cmd",
		"dynuser-run|--wait=yes|cmd",
		"dynuser-run|--isolation=some|cmd",
		"dynuser-run|--scope|cmd",
		"dynuser-run|--user|cmd",
		"dynuser-run|-M|x|cmd",
		"dynuser-run|--on-calendar=daily|cmd",
		"dynuser-run|-S",
		"dynuser-run|--expand-environment=yes|cmd",
		"dynuser-run|--unit-file=/x|cmd",
		"dynuser-run|--instance=a|cmd",
		"dynuser-run|-E|=x|cmd",
		"dynuser-run|--unit",
		"dynuser-run|--stop",
		"dynuser-run|--stop|cmd",
		"dynuser-run|--unit-file=/x|--stop|cmd",
		"dynuser-run|--unit-file=/x|--stop|--reload",
		"dynuser-run|--unit-file=/x|--stop=1",
		"dynuser-run|--unit-file=/x|--main-pid=7",
		"dynuser-run|--unit-file=/x|--stop|--main-pid=0",
		"dynuser-run|--unit-file=/x|--stop|--main-pid=-1",
		"dynuser-run|--unit-file=/x|--stop|--main-pid=7x",
		"dynuser-run|--unit-file=/x|--stop|--main-pid=99999999999",
	};

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		CHECK(status_of(refused[i]) == 125, "%s: %d", refused[i], status_of(refused[i]));
	CHECK(status_of("dynuser-run|--help|--what") == 0 && status_of("dynuser-run|--version") == 0, "help");
	CHECK(status_of("dynuser-run|--explain") == 77, "an explanation needs no command");
}

int main(void)
{
	test_values();
	test_environment();
	test_paths();
	test_systemd_run();
	test_phases();
	test_typed();
	test_refusals();
	return 0;
}
