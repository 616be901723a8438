/* Sweeps over /proc, each from where something escaped the one before; see process_walk.h. */
#include "process_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "deadline.h"
#include "listing.h"
#include "task_walk.h"

/*
 * Bytes of entries that are listed at a time, of 24 or 32 each: the longer ago a process was listed, the more likely it has
 * ended before it is read.
 */
#define BATCH_BYTES 512
/* Far more than /proc/loadavg has. */
#define LOAD_BYTES 128

/* Read only while a walk is under way, and one is at a time. */
static struct credentials credentials;
static struct pid_set seen_processes;

static enum walked visit_thread(const struct walk *walk, int directory, pid_t thread, pid_t process)
{
	int error = known_read(walk->known, directory, process, thread, &credentials);

	if (error == ESRCH)
		return WALKED_GONE;
	if (error != 0) {
		answer_error(walk->answer, "credentials", error);
		return WALKED_ANSWERED;
	}
	struct found_thread found = { .proc = walk->proc, .process = process, .directory = directory, .thread = thread };

	return walk->visit(walk->data, &found, &credentials, walk->answer) ? WALKED_ANSWERED : WALKED_SEEN;
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
		    (i == 0 && (found.thread != process || credentials.threads != count)))
			return WALKED_GONE;
		if (walk->visit(walk->data, &found, &credentials, walk->answer))
			outcome = WALKED_ANSWERED;
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
		if (walked == WALKED_SEEN && credentials.threads > 1)
			walked = walk_tasks(walk, process, visit_thread);
	}
	return walked;
}

static bool fail(const struct walk *walk, const char *call, int error)
{
	answer_error(walk->answer, call, error);
	return true;
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

	if (walked == WALKED_SEEN && !pid_set_add(&seen_processes, listed->pid))
		return fail(walk, "realloc", errno);
	if (walked == WALKED_GONE)
		go_back(sweep, listed);
	return walked == WALKED_ANSWERED;
}

/* One sweep, over what was there when it began: what is started meanwhile is for the next. Returns whether the answer was written. */
static bool sweep_on(const struct walk *walk, struct sweep *sweep)
{
	char bytes[BATCH_BYTES] __attribute__((aligned(sizeof(uint64_t))));
	struct listing listing = { .bytes = bytes, .room = sizeof(bytes) };
	struct listing_step step = { .position = sweep->position };
	struct listed listed;

	if (lseek(walk->proc, sweep->position, SEEK_SET) < 0)
		return fail(walk, "lseek", errno);
	sweep->is_proof = true;
	do {
		if (!list_on(&listing, walk->proc))
			return fail(walk, "getdents64", errno);
		step.next = 0;
		while (list_next(&listing, &step, &listed)) {
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
	return deadline_is_past(&walk->deadline) && listing.length > 0 && fail(walk, WALK_CALL, EAGAIN);
}

/* All sweeps. What is known is of use in the first one alone: the others are about what has just been started, of which none is. */
static bool walk_all(struct walk *walk, struct known_threads *known, struct known_threads *none)
{
	struct sweep sweep = { .limit = read_last_pid(walk) };

	seen_processes.count = 0;
	walk->known = known;
	known_begin(known);
	bool answered = sweep_on(walk, &sweep);

	known_end(known, !answered);
	walk->known = none;
	for (int sweeps = 1; !answered; sweeps++) {
		uint32_t last = read_last_pid(walk);

		if (last < sweep.limit) {
			seen_processes.count = 0;
			sweep.position = 0;
		} else if (sweep.is_proof || sweeps == SWEEPS_MAX) {
			return false;
		}
		if (deadline_is_past(&walk->deadline))
			return fail(walk, WALK_CALL, EAGAIN);
		sweep.limit = last;
		answered = sweep_on(walk, &sweep);
	}
	return true;
}

bool walk_threads(struct known_threads *known, visit_credentials *visit, void *data, struct answer *answer)
{
	struct walk walk = {
		.visit = visit, .data = data, .answer = answer, .deadline = deadline_after(WALK_WAIT_MS)
	};
	struct known_threads none = { .before = NULL };
	bool answered = true;

	walk.proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	walk.load = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
	if (walk.proc < 0)
		(void)fail(&walk, "/proc", errno);
	else
		answered = walk_all(&walk, known, &none);
	if (walk.proc >= 0)
		close(walk.proc);
	if (walk.load >= 0)
		close(walk.load);
	return answered;
}
