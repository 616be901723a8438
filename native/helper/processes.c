/*
 * A walk (process_walk.h) finds all kinds of IDs. getpriority(2) finds only real UIDs, but in one call and under the kernel's
 * lock: so it has the last word on those.
 */
#include "processes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define WALKS_MAX 3
/* TASK_COMM_LEN of the kernel is 16, worker threads' names are up to 63. */
#define COMMAND_MAX 64

static const char *const holding_words[] = {
	[HOLDS_AS_USER] = "user",
	[HOLDS_AS_GROUP] = "group",
	[HOLDS_AS_SUPPLEMENTARY] = "supplementary",
};

static void answer_process(struct answer *answer, pid_t process, const char *command, enum holding holds)
{
	answer_begin(answer, "process");
	answer_number(answer, (uint64_t)process);
	answer_text(answer, command);
	answer_word(answer, holding_words[holds]);
}

enum visited answer_found(void *data, const struct found_thread *found, struct answer *answer)
{
	char name[32];
	char command[COMMAND_MAX + 1];
	ssize_t length = 0;

	(void)data;
	(void)snprintf(name, sizeof(name), "%d/comm", found->process);
	int descriptor = openat(found->proc, name, O_RDONLY | O_CLOEXEC);

	if (descriptor >= 0) {
		length = read(descriptor, command, sizeof(command) - 1);
		close(descriptor);
	}
	if (length > 0 && command[length - 1] == '\n')
		length--;
	command[length > 0 ? length : 0] = '\0';
	answer_process(answer, found->process, command, found->holds);
	return VISITED_LAST;
}

struct of_number {
	uint32_t number;
	visit_found *visit;
	void *data;
};

static enum visited visit_of_number(void *data, struct found_thread *found, const struct credentials *credentials,
				    struct answer *answer)
{
	const struct of_number *of = data;

	found->holds = credentials_hold(credentials, of->number);
	return found->holds == HOLDS_NOT ? VISITED : of->visit(of->data, found, answer);
}

bool walk_processes(uint32_t number, struct known_threads *known, visit_found *visit, void *data, struct answer *answer)
{
	struct of_number of = { number, visit, data };

	return walk_threads(known, visit_of_number, &of, answer);
}

/* For what comes and goes too fast for a walk. -1 is a nice value too; errno alone tells. */
static bool has_real_uid(uint32_t number)
{
	errno = 0;
	return getpriority(PRIO_USER, number) != -1 || errno != ESRCH;
}

bool find_process(uint32_t number, struct known_threads *known, struct answer *answer)
{
	for (int walks = 0; walks < WALKS_MAX; walks++) {
		if (walk_processes(number, known, answer_found, NULL, answer))
			return true;
		if (!has_real_uid(number))
			return false;
	}
	answer_process(answer, 0, "too short-lived to be named", HOLDS_AS_USER);
	return true;
}

static enum visited visit_of_numbers(void *data, struct found_thread *found, const struct credentials *credentials,
				     struct answer *answer)
{
	struct numbers *numbers = data;

	(void)found;
	(void)answer;
	for (size_t i = 0; i < numbers->count; i++)
		numbers->running[i] =
			numbers->running[i] || credentials_hold(credentials, numbers->number[i]) != HOLDS_NOT;
	return VISITED;
}

bool find_numbers(struct numbers *numbers, struct known_threads *known, struct answer *answer)
{
	if (walk_threads(known, visit_of_numbers, numbers, answer))
		return false;
	for (size_t i = 0; i < numbers->count; i++)
		numbers->running[i] = numbers->running[i] || has_real_uid(numbers->number[i]);
	return true;
}
