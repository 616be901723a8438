/*
 * Starts commands and says how long each took from its start until it was waited for. A program in Node would add to every
 * start a fork of all its memory, which is not part of what is compared.
 *
 *   spawn-times turns ROUNDS COMMAND [, COMMAND]...     each round by all in turn, with a pause before each, in which what ended
 *                                                       before is cleaned up; a line "COMMAND MICROSECONDS" for each, where
 *                                                       COMMAND is its place in the order, from 0
 *   spawn-times first COUNT COMMAND                     one after the other, the first ones told too; lines as of turns
 *   spawn-times parallel COUNT COMMAND                  COUNT at a time; one line "MICROSECONDS FAILURES" for all
 *
 * COMMAND is a program, looked for in PATH, and its arguments; none of them is a lone comma.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COMMANDS_MAX 16
/* These warm caches up. */
#define WARM_UP_ROUNDS 3
#define PAUSE_US 5000

static _Noreturn void die(const char *what, int error)
{
	(void)fprintf(stderr, "spawn-times: %s: %s\n", what, strerror(error));
	exit(2);
}

static int64_t now_us(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
		die("clock_gettime", errno);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static pid_t start(char *const command[])
{
	posix_spawn_file_actions_t actions;
	pid_t child = 0;
	int error = posix_spawn_file_actions_init(&actions);

	if (error == 0)
		error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (error == 0)
		error = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (error == 0)
		error = posix_spawnp(&child, command[0], &actions, NULL, command, environ);
	if (error != 0)
		die(command[0], error);
	(void)posix_spawn_file_actions_destroy(&actions);
	return child;
}

/* Waits for one child, or for any with -1. Returns whether it succeeded. */
static bool ended_well(pid_t child)
{
	int status = 0;

	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			die("waitpid", errno);
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The first warm_up rounds are not told. */
static void turns(unsigned long rounds, unsigned long warm_up, useconds_t pause_us, char *words[])
{
	char **commands[COMMANDS_MAX] = { words };
	size_t count = 1;

	for (char **word = words; *word != NULL; word++) {
		if (strcmp(*word, ",") != 0)
			continue;
		if (count == COMMANDS_MAX)
			die("commands", E2BIG);
		*word = NULL;
		commands[count++] = word + 1;
	}
	for (unsigned long round = 0; round < warm_up + rounds; round++) {
		for (size_t i = 0; i < count; i++) {
			int64_t before;

			if (pause_us > 0)
				(void)usleep(pause_us);
			before = now_us();
			if (!ended_well(start(commands[i])))
				die(commands[i][0], ECHILD);
			if (round >= warm_up)
				printf("%zu %lld\n", i, (long long)(now_us() - before));
		}
	}
}

static void parallel(unsigned long count, char *const command[])
{
	unsigned long failures = 0;
	int64_t before = now_us();

	for (unsigned long i = 0; i < count; i++)
		(void)start(command);
	for (unsigned long i = 0; i < count; i++)
		failures += ended_well(-1) ? 0 : 1;
	printf("%lld %lu\n", (long long)(now_us() - before), failures);
}

int main(int argc, char *argv[])
{
	char *end = NULL;
	unsigned long number = argc > 3 ? strtoul(argv[2], &end, 10) : 0;

	if (end == NULL || *end != '\0' || number == 0) {
		(void)fputs(
			"usage: spawn-times turns ROUNDS COMMAND [, COMMAND]... | first COUNT COMMAND | parallel COUNT COMMAND\n",
			stderr);
		return 2;
	}
	if (strcmp(argv[1], "turns") == 0)
		turns(number, WARM_UP_ROUNDS, PAUSE_US, argv + 3);
	else if (strcmp(argv[1], "first") == 0)
		turns(number, 0, 0, argv + 3);
	else
		parallel(number, argv + 3);
	return 0;
}
