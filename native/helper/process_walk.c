/*
 * Sweeps over /proc, each from where something escaped the one before, and passes over the threads of a process; see process_walk.h.
 *
 * The kernel lists threads in the order in which they were started, and stops early at one that ends while it is listed, with or
 * without telling of it. So a list of them is whole if it was read at once, has no fewer than the process has after that, and its
 * last thread still lives; and a thread that starts the next and ends is followed in passes, as processes are.
 */
#include "process_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deadline.h"
#include "descriptor.h"

/*
 * Bytes of entries that are listed at a time, of 24 or 32 each: the longer ago a process was listed, the more likely it has
 * ended before it is read.
 */
#define BATCH_BYTES 512
/* Far more than /proc/loadavg has. */
#define LOAD_BYTES 128
/* Bytes of entries of a list that is read at once: first, and as much as each of the 4,194,304 PIDs that there can be takes. */
#define LIST_BYTES_FIRST (64U * 1024U)
#define LIST_BYTES_MAX (128U * 1024U * 1024U)
/* With less room left than this another entry might not have fitted in. */
#define BYTES_OF_ENTRY 512U
/* PIDs of a set at first. The kernel bounds them (PID_MAX_LIMIT, 4,194,304), and so the memory: 16 MiB. */
#define PIDS_FIRST 1024
/* proc(5): /proc/<pid>/task has two links of its own, and one for each thread. */
#define LINKS_OF_NO_THREAD 2

/* A directory of /proc as it is listed: a part of it, or all of it by one call of the kernel. */
struct listing {
	char *bytes;
	size_t room, length;
	/* where the next entry is in bytes, and from where the directory would list it again, or if it is gone, what comes after it */
	size_t next;
	off_t position;
};

/* An entry whose name is a PID, and its position. */
struct listed {
	pid_t pid;
	off_t position;
};

/* PIDs in order; most are added in rising order, which costs nothing. */
struct pid_set {
	pid_t *pids;
	size_t count, room;
};

struct walk {
	struct known_threads *known;
	visit_credentials *visit;
	void *data;
	struct answer *answer;
	struct deadline deadline;
	pid_t daemon; /* its threads have all what the first one has: nothing changes the credentials of one of them alone */
	int proc; /* /proc and /proc/loadavg, open */
	int load;
};

enum walked {
	WALKED_SEEN,	 /* all that was there at one moment was read alive */
	WALKED_GONE,	 /* it ended before that */
	WALKED_EXITED,	 /* all of it has exited, and has been read after that or shortly before */
	WALKED_ANSWERED, /* the answer is written, and the walk ends */
};

/* Read or filled only while a walk is under way, and one is at a time; the room is kept. */
static struct credentials credentials;
static struct pid_set seen_processes, seen_exited, seen_threads;
static struct listing tasks;

/* Lists what comes next, as much as fits into the room there is. Returns false with errno; a length of 0 is the end. */
static bool list_on(struct listing *listing, int directory)
{
	ssize_t length = getdents64(directory, (void *)listing->bytes, listing->room);

	listing->next = 0;
	listing->length = length < 0 ? 0 : (size_t)length;
	return length >= 0;
}

/* Lists all of a directory by a single getdents64(2), with as much room as that takes. Returns the same; ENOMEM: there is no such room. */
static bool list_at_once(struct listing *listing, int directory)
{
	for (size_t room = listing->room == 0 ? LIST_BYTES_FIRST : listing->room; room <= LIST_BYTES_MAX; room *= 2) {
		if (room > listing->room) {
			char *bytes = realloc(listing->bytes, room);

			if (bytes == NULL)
				return false;
			listing->bytes = bytes;
			listing->room = room;
		}
		if (lseek(directory, 0, SEEK_SET) < 0 || !list_on(listing, directory))
			return false;
		if (listing->length <= listing->room - BYTES_OF_ENTRY)
			return true;
	}
	errno = ENOMEM;
	return false;
}

/* Returns false at the end of what was listed. */
static bool list_next(struct listing *listing, struct listed *listed)
{
	while (listing->next < listing->length) {
		const struct dirent64 *entry = (const struct dirent64 *)(const void *)(listing->bytes + listing->next);
		uint32_t number;

		listed->position = listing->position;
		listing->next += entry->d_reclen;
		listing->position = (off_t)entry->d_off;
		if (parse_id(entry->d_name, &number) && number > 0 && number <= INT32_MAX) {
			listed->pid = (pid_t)number;
			return true;
		}
	}
	return false;
}

/* Where the PID is, or would be. */
static size_t place_of(const struct pid_set *set, pid_t pid)
{
	size_t low = 0, high = set->count;

	if (high == 0 || set->pids[high - 1] < pid)
		return high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->pids[middle] < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool pid_set_has(const struct pid_set *set, pid_t pid)
{
	size_t place = place_of(set, pid);

	return place < set->count && set->pids[place] == pid;
}

/* Adds one that it has not. Returns false if there is no memory for it. */
static bool pid_set_add(struct pid_set *set, pid_t pid)
{
	if (set->count == set->room) {
		size_t room = set->room == 0 ? PIDS_FIRST : set->room * 2;
		pid_t *pids = reallocarray(set->pids, room, sizeof(*pids));

		if (pids == NULL)
			return false;
		set->pids = pids;
		set->room = room;
	}
	size_t place = place_of(set, pid);

	memmove(set->pids + place + 1, set->pids + place, (set->count - place) * sizeof(*set->pids));
	set->pids[place] = pid;
	set->count++;
	return true;
}

static const enum walked outcomes[] = {
	[VISITED] = WALKED_SEEN,
	[VISITED_EXITED] = WALKED_EXITED,
	[VISITED_LAST] = WALKED_ANSWERED,
};

static enum walked fail(const struct walk *walk, const char *call, int error)
{
	(void)answer_error(walk->answer, call, error);
	return WALKED_ANSWERED;
}

static enum walked visit_thread(const struct walk *walk, int directory, pid_t thread, pid_t process)
{
	int error = known_read(walk->known, directory, process, thread, &credentials);

	if (error == ESRCH)
		return WALKED_GONE;
	if (error != 0)
		return fail(walk, "credentials", error);
	struct found_thread found = {
		.proc = walk->proc, .process = process, .directory = directory, .thread = thread
	};

	return outcomes[walk->visit(walk->data, &found, &credentials, walk->answer)];
}

/* One pass over the threads of a process; WALKED_GONE if another is to be made. */
static enum walked pass(const struct walk *walk, int task, pid_t process)
{
	enum walked outcome = WALKED_SEEN;
	struct listed listed = { 0 };
	struct stat status, last;
	nlink_t links = LINKS_OF_NO_THREAD;
	char name[32];

	if (!list_at_once(&tasks, task))
		return errno == ENOENT || errno == ESRCH ? WALKED_GONE : fail(walk, "getdents64", errno);
	if (fstat(task, &status) != 0)
		return WALKED_GONE;
	while (list_next(&tasks, &listed)) {
		pid_t thread = listed.pid;

		links++;
		if (pid_set_has(&seen_threads, thread))
			continue;
		/* The first one by its name in /proc, as any process without other threads. */
		enum walked walked = visit_thread(walk, thread == process ? walk->proc : task, thread, process);

		if (walked == WALKED_ANSWERED || walked == WALKED_EXITED)
			return walked;
		if (walked == WALKED_GONE)
			outcome = WALKED_GONE;
		/* A thread that executes a program takes the number of the first one, which is read each time. */
		else if (thread != process && !pid_set_add(&seen_threads, thread))
			return fail(walk, "realloc", errno);
	}
	(void)snprintf(name, sizeof(name), "%d", listed.pid);
	return links >= status.st_nlink && fstatat(task, name, &last, 0) == 0 ? outcome : WALKED_GONE;
}

/* Visits the threads of a process until none escapes; some may be visited more than once. */
static enum walked walk_tasks(const struct walk *walk, pid_t process)
{
	enum walked outcome = WALKED_GONE;
	struct stat status;
	char name[32];

	(void)snprintf(name, sizeof(name), "%d/task", process);
	int task = openat(walk->proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (task < 0)
		return errno == ENOENT || errno == ESRCH ? WALKED_GONE : fail(walk, "opendir", errno);
	seen_threads.count = 0;
	for (int passes = 0;
	     outcome == WALKED_GONE && fstat(task, &status) == 0 && status.st_nlink > LINKS_OF_NO_THREAD; passes++) {
		outcome = pass(walk, task, process);
		if (outcome == WALKED_GONE && passes == SWEEPS_MAX)
			outcome = WALKED_SEEN;
		if (outcome == WALKED_GONE && deadline_is_past(&walk->deadline))
			outcome = fail(walk, WALK_CALL, EAGAIN);
	}
	close(task);
	return outcome;
}

/*
 * Visits a process of which threads are known: if the first one says that it has as many, and all of them are read after
 * that, they were all that it had then. Returns WALKED_GONE if not, and the process has to be looked at anew.
 */
static enum walked visit_known(const struct walk *walk, pid_t process, size_t count)
{
	struct found_thread found = { .proc = walk->proc, .process = process, .directory = walk->proc };
	enum walked outcome = WALKED_SEEN;

	for (size_t i = 0; i < count && outcome == WALKED_SEEN; i++) {
		if (!known_again(walk->known, i, &found.thread, &credentials) ||
		    (i == 0 && (found.thread != process || (process != walk->daemon && credentials.threads != count))))
			return WALKED_GONE;
		outcome = outcomes[walk->visit(walk->data, &found, &credentials, walk->answer)];
	}
	known_keep(walk->known);
	return outcome;
}

static enum walked visit_process(const struct walk *walk, pid_t process)
{
	size_t known = known_turn_to(walk->known, process);
	enum walked walked = WALKED_GONE;

	if (known_is_kernel(walk->known))
		return WALKED_SEEN;
	if (known > 0)
		walked = visit_known(walk, process, known);
	if (walked == WALKED_GONE) {
		walked = visit_thread(walk, walk->proc, process, process);
		/* It was the only one at a moment after it was read, or there is none at all any more. */
		if (walked == WALKED_SEEN && credentials.threads > 1 && process != walk->daemon)
			walked = walk_tasks(walk, process);
	}
	return walked;
}

/*
 * The PID that was given out last in this PID namespace: the last word of /proc/loadavg. The largest number if that
 * is not told, as below a /proc of processes alone (subset=pid): then nothing tells that PIDs have begun anew.
 */
static uint32_t read_last_pid(const struct walk *walk)
{
	char text[LOAD_BYTES];
	ssize_t length = pread(walk->load, text, sizeof(text) - 1, 0);
	uint32_t last;

	if (length <= 0)
		return UINT32_MAX;
	text[text[length - 1] == '\n' ? length - 1 : length] = '\0';
	const char *word = strrchr(text, ' ');

	return word != NULL && parse_id(word + 1, &last) ? last : UINT32_MAX;
}

/* How far a sweep has come. */
struct sweep {
	off_t position; /* where it begins, and then, where the next one has to begin */
	uint32_t limit; /* the PID that was given out last before it began */
	bool is_proof;	/* it came to the end of the list, and all that it found was read alive, then or before */
};

/* Whether a process was started after the sweep began. Those with a higher PID still are from before PIDs began anew. */
static bool is_newer(const struct walk *walk, const struct sweep *sweep, pid_t process)
{
	return (uint32_t)process > sweep->limit && (uint32_t)process <= read_last_pid(walk);
}

/*
 * Has the next sweep begin at what is gone. What is from before PIDs began anew has started others in the meantime whose PIDs are
 * lower than its own: so for that it begins at the very first, and passes over what was seen.
 */
static void go_back(struct sweep *sweep, const struct listed *listed)
{
	off_t position = (uint32_t)listed->pid > sweep->limit ? 0 : listed->position;

	if (sweep->is_proof || position < sweep->position)
		sweep->position = position;
	sweep->is_proof = false;
}

/* Visits a process that was listed. Returns whether the answer was written. */
static bool visit_listed(const struct walk *walk, const struct listed *listed, struct sweep *sweep)
{
	enum walked walked = visit_process(walk, listed->pid);

	/* Once the walk has gone back to one that has exited, all that it has ever started is listed after it. */
	if (walked == WALKED_EXITED && !pid_set_has(&seen_exited, listed->pid)) {
		if (!pid_set_add(&seen_exited, listed->pid))
			return answer_error(walk->answer, "realloc", errno);
		walked = WALKED_GONE;
	}
	if (walked == WALKED_GONE)
		go_back(sweep, listed);
	else if (walked != WALKED_ANSWERED && !pid_set_add(&seen_processes, listed->pid))
		return answer_error(walk->answer, "realloc", errno);
	return walked == WALKED_ANSWERED;
}

/* One sweep, over what was there when it began: what is started meanwhile is for the next. Returns whether the answer was written. */
static bool sweep_on(const struct walk *walk, struct sweep *sweep)
{
	char bytes[BATCH_BYTES] __attribute__((aligned(sizeof(uint64_t))));
	struct listing listing = { .bytes = bytes, .room = sizeof(bytes), .position = sweep->position };
	struct listed listed;

	if (lseek(walk->proc, sweep->position, SEEK_SET) < 0)
		return answer_error(walk->answer, "lseek", errno);
	sweep->is_proof = true;
	do {
		if (!list_on(&listing, walk->proc))
			return answer_error(walk->answer, "getdents64", errno);
		while (list_next(&listing, &listed)) {
			if (pid_set_has(&seen_processes, listed.pid))
				continue;
			if (is_newer(walk, sweep, listed.pid)) {
				if (sweep->is_proof)
					sweep->position = listed.position;
				sweep->is_proof = false;
				return false;
			}
			if (visit_listed(walk, &listed, sweep))
				return true;
		}
	} while (listing.length > 0 && !deadline_is_past(&walk->deadline));
	return deadline_is_past(&walk->deadline) && listing.length > 0 && answer_error(walk->answer, WALK_CALL, EAGAIN);
}

/* All sweeps. What is known is of use in the first one alone: the others are about what has just been started, of which none is. */
static bool walk_all(struct walk *walk, struct known_threads *known, struct known_threads *none)
{
	struct sweep sweep = { .limit = read_last_pid(walk) };

	seen_processes.count = seen_exited.count = 0;
	walk->known = known;
	known_begin(known);
	bool answered = sweep_on(walk, &sweep);

	known_end(known, !answered);
	walk->known = none;
	for (int sweeps = 1; !answered; sweeps++) {
		uint32_t last = read_last_pid(walk);

		if (last < sweep.limit) {
			seen_processes.count = seen_exited.count = 0;
			sweep.position = 0;
		} else if (sweep.is_proof || sweeps == SWEEPS_MAX) {
			return false;
		}
		if (deadline_is_past(&walk->deadline))
			return answer_error(walk->answer, WALK_CALL, EAGAIN);
		sweep.limit = last;
		answered = sweep_on(walk, &sweep);
	}
	return true;
}

bool walk_threads(struct known_threads *known, visit_credentials *visit, void *data, struct answer *answer)
{
	struct walk walk = { .visit = visit,
			     .data = data,
			     .answer = answer,
			     .deadline = deadline_after(WALK_WAIT_MS),
			     .daemon = getppid() };
	struct known_threads none = { .before = NULL };
	bool answered = true;

	walk.proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	walk.load = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
	if (walk.proc < 0)
		(void)answer_error(answer, "/proc", errno);
	else
		answered = walk_all(&walk, known, &none);
	close_quietly(walk.proc);
	close_quietly(walk.load);
	return answered;
}
