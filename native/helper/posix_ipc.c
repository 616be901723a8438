/* A visitor of ipc_walk.h that ends at the first entry of the number. */
#include "posix_ipc.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipc_walk.h"

/* The path of an entry for people: as the kernel has it now, or the bare name if it is too long to tell. */
static void answer_entry(struct answer *answer, const char *kind, int entry, const char *name, size_t cut)
{
	char link[sizeof("/proc/self/fd/") + 16];
	char path[TEXT_MAX + 1];

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", entry);
	ssize_t length = readlink(link, path, sizeof(path) - 1);

	answer_begin(answer, "ipc");
	answer_word(answer, kind);
	if (length > (ssize_t)cut) {
		path[length] = '\0';
		answer_text(answer, path + cut);
	} else {
		answer_text(answer, name);
	}
}

struct wanted {
	const char *kind;
	size_t cut;
	uint32_t number;
};

static enum walk_step visit(void *data, const struct walk_entry *entry, struct answer *answer)
{
	const struct wanted *wanted = data;

	if (entry->status->st_uid != wanted->number && entry->status->st_gid != wanted->number)
		return S_ISDIR(entry->status->st_mode) ? WALK_DESCEND : WALK_ON;
	answer_entry(answer, wanted->kind, entry->descriptor, entry->name, wanted->cut);
	return WALK_ANSWERED;
}

bool find_in_tree(const char *top, const char *kind, size_t cut, uint32_t number, struct answer *answer)
{
	struct wanted wanted = { .kind = kind, .cut = cut, .number = number };
	const struct ipc_visitor visitor = { .entry = visit, .data = &wanted };

	return walk_ipc(top, &visitor, answer);
}

bool find_posix_ipc(uint32_t number, struct answer *answer)
{
	return find_in_tree(POSIX_SHM_DIRECTORY, "posix-shm", 0, number, answer) ||
	       /* mq_open(3) names a queue "/name". */
	       find_in_tree(POSIX_MQ_DIRECTORY, "posix-mq", strlen(POSIX_MQ_DIRECTORY), number, answer);
}
