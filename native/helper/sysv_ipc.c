/*
 * One line an object in /proc/sysvipc/ (proc_sysvipc(5)): a header, then columns of numbers. Where the kernel counts no objects
 * of a kind, as on most hosts, its table is not read, which would take ten times as long.
 */
#include "sysv_ipc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#define LINE_MAX_BYTES 512
/* The id of the object is the second column in all three. */
#define COLUMN_ID 1

/* Each returns how many objects of its kind there are in this IPC namespace, or a negative value where that is not told. */
static int count_shm(void)
{
	struct shm_info info;

	return shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&info) < 0 ? -1 : info.used_ids;
}

static int count_sem(void)
{
	struct seminfo info;

	return semctl(0, 0, SEM_INFO, &info) < 0 ? -1 : info.semusz;
}

static int count_msg(void)
{
	struct msginfo info;

	return msgctl(0, MSG_INFO, (struct msqid_ds *)(void *)&info) < 0 ? -1 : info.msgpool;
}

/* The owner's UID and GID stand side by side. */
struct table {
	const char *path;
	const char *kind;
	int column_uid;
	int (*count)(void);
};

static const struct table tables[] = {
	{ "/proc/sysvipc/shm", "sysv-shm", 7, count_shm },
	{ "/proc/sysvipc/sem", "sysv-sem", 4, count_sem },
	{ "/proc/sysvipc/msg", "sysv-msg", 7, count_msg },
};

struct object {
	uint64_t id, uid, gid;
};

/* Columns before the owner may be negative (the key) or octal (the permissions): only the three wanted are checked. */
static bool parse_object(char *line, int column_uid, struct object *object)
{
	char *rest = NULL;
	char *word = strtok_r(line, " \n", &rest);
	uint64_t numbers[3] = { 0 };
	size_t taken = 0;

	for (int column = 0; word != NULL && taken < 3; column++, word = strtok_r(NULL, " \n", &rest)) {
		if (column != COLUMN_ID && column != column_uid && column != column_uid + 1)
			continue;
		char *end = NULL;

		errno = 0;
		numbers[taken++] = strtoull(word, &end, 10);
		if (errno != 0 || *end != '\0')
			return false;
	}
	*object = (struct object){ numbers[0], numbers[1], numbers[2] };
	return taken == 3;
}

static bool search_lines(FILE *stream, const struct table *table, uint32_t number, struct answer *answer)
{
	char line[LINE_MAX_BYTES];
	bool header = true;
	struct object object;

	while (fgets(line, sizeof(line), stream) != NULL) {
		if (header) {
			header = false;
			continue;
		}
		if (!parse_object(line, table->column_uid, &object)) {
			answer_error(answer, table->path, EBADMSG);
			return true;
		}
		if (object.uid == number || object.gid == number) {
			answer_begin(answer, "ipc");
			answer_word(answer, table->kind);
			answer_number(answer, object.id);
			return true;
		}
	}
	if (ferror(stream)) {
		answer_error(answer, table->path, errno);
		return true;
	}
	return false;
}

bool find_sysv_ipc(uint32_t number, struct answer *answer)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		if (tables[i].count() == 0)
			continue;
		FILE *stream = fopen(tables[i].path, "re");

		/* A kernel without System V IPC has no such file, and no such objects. */
		if (stream == NULL && errno == ENOENT)
			continue;
		if (stream == NULL) {
			answer_error(answer, tables[i].path, errno);
			return true;
		}
		bool answered = search_lines(stream, &tables[i], number, answer);

		(void)fclose(stream);
		if (answered)
			return true;
	}
	return false;
}
