/*
 * A walk of /proc (proc(5)) is no snapshot: a process that forks and ends all the time can stay ahead of it. So
 * getpriority(2), which the kernel answers for all real UIDs at once under its lock, has the last word.
 */
#include "processes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define WALKS_MAX 3
/* TASK_COMM_LEN of the kernel is 16, worker threads' names are up to 63. */
#define COMMAND_MAX 64

struct search {
	struct known_threads *known;
	visit_credentials *visit;
	void *data;
	struct answer *answer;
};

static bool parse_pid(const char *name, pid_t *pid)
{
	uint32_t number;

	if (!parse_id(name, &number) || number == 0 || number > INT32_MAX)
		return false;
	*pid = (pid_t)number;
	return true;
}

bool answer_found(void *data, const struct found_thread *found, struct answer *answer)
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
	answer_begin(answer, "process");
	answer_number(answer, (uint64_t)found->process);
	answer_text(answer, command);
	return true;
}

/* Looks at one thread; leader is the process that it is of, and directory what credentials_read needs. */
static bool visit_thread(struct search search, int directory, pid_t thread, int proc, pid_t leader)
{
	struct credentials credentials;
	int error = known_read(search.known, directory, leader, thread, &credentials);

	if (error == ESRCH)
		return false;
	if (error != 0) {
		answer_error(search.answer, "credentials", error);
		return true;
	}
	struct found_thread found = { .proc = proc, .process = leader, .directory = directory, .thread = thread };

	return search.visit(search.data, &found, &credentials, search.answer);
}

/* Threads may have credentials of their own: setresuid(2) as a bare system call changes the calling thread alone. */
static bool visit_threads(struct search search, int proc, pid_t process, const char *task)
{
	int descriptor = openat(proc, task, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = descriptor < 0 ? NULL : fdopendir(descriptor);
	struct dirent *entry;
	bool answered = false;
	pid_t thread;

	if (stream == NULL) {
		if (descriptor < 0 && (errno == ENOENT || errno == ESRCH))
			return false;
		answer_error(search.answer, "opendir", errno);
		if (descriptor >= 0)
			close(descriptor);
		return true;
	}
	/* An error in the middle means that the process is gone. */
	while (!answered && (entry = readdir(stream)) != NULL) {
		if (parse_pid(entry->d_name, &thread) && thread != process)
			answered = visit_thread(search, dirfd(stream), thread, proc, process);
	}
	closedir(stream);
	return answered;
}

/*
 * Looks at a process that had as many threads a moment ago as are known of it: where these all live still, they were all
 * that it had. Returns false where one does not, and the process has to be looked at anew.
 */
static bool visit_known(struct search search, int proc, pid_t process, size_t count, bool *answered)
{
	struct found_thread found = { .proc = proc, .process = process, .directory = proc };
	struct credentials credentials;

	*answered = false;
	for (size_t i = 0; i < count && !*answered; i++) {
		if (!known_again(search.known, i, &found.thread, &credentials))
			return false;
		*answered = search.visit(search.data, &found, &credentials, search.answer);
	}
	known_keep(search.known);
	return true;
}

static bool visit_process(struct search search, int proc, pid_t process)
{
	size_t known = known_turn_to(search.known, process), count;
	char task[32];
	bool answered;

	if (known_count(search.known, proc, process, &count) != 0)
		return visit_thread(search, proc, process, proc, process);
	if (known > 0 && count == known && visit_known(search, proc, process, known, &answered))
		return answered;
	if (visit_thread(search, proc, process, proc, process))
		return true;
	(void)snprintf(task, sizeof(task), "%d/task", process);
	return count != 1 && visit_threads(search, proc, process, task);
}

bool walk_threads(struct known_threads *known, visit_credentials *visit, void *data, struct answer *answer)
{
	struct search search = { known, visit, data, answer };
	DIR *stream = opendir("/proc");
	struct dirent *entry;
	bool answered = false;
	pid_t process;

	if (stream == NULL) {
		answer_error(answer, "/proc", errno);
		return true;
	}
	known_begin(known);
	errno = 0;
	while (!answered && (entry = readdir(stream)) != NULL) {
		if (parse_pid(entry->d_name, &process))
			answered = visit_process(search, dirfd(stream), process);
		errno = 0;
	}
	if (!answered && errno != 0) {
		answer_error(answer, "readdir", errno);
		answered = true;
	}
	known_end(known, !answered);
	closedir(stream);
	return answered;
}

struct of_number {
	uint32_t number;
	visit_found *visit;
	void *data;
};

static bool visit_of_number(void *data, const struct found_thread *found, const struct credentials *credentials,
			    struct answer *answer)
{
	const struct of_number *of = data;

	return credentials_have(credentials, of->number) && of->visit(of->data, found, answer);
}

bool walk_processes(uint32_t number, struct known_threads *known, visit_found *visit, void *data,
		    struct answer *answer)
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
	answer_begin(answer, "process");
	answer_number(answer, 0);
	answer_text(answer, "too short-lived to be named");
	return true;
}

static bool visit_of_numbers(void *data, const struct found_thread *found, const struct credentials *credentials,
			     struct answer *answer)
{
	struct numbers *numbers = data;

	(void)found;
	(void)answer;
	for (size_t i = 0; i < numbers->count; i++)
		numbers->running[i] = numbers->running[i] || credentials_have(credentials, numbers->number[i]);
	return false;
}

bool find_numbers(struct numbers *numbers, struct known_threads *known, struct answer *answer)
{
	if (walk_threads(known, visit_of_numbers, numbers, answer))
		return false;
	for (size_t i = 0; i < numbers->count; i++)
		numbers->running[i] = numbers->running[i] || has_real_uid(numbers->number[i]);
	return true;
}
