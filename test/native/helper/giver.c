/*
 * Does what any user can: makes System V objects and gives them to numbers that are not its own.
 *
 *   giver FIRST LAST CREATOR
 *
 * A queue for each two numbers from FIRST to LAST, the one as its UID and the other as its GID, and a segment for FIRST that stays
 * attached. Says "ready" then, and ends with its standard input.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/shm.h>
#include <unistd.h>

static void check(bool good, const char *what)
{
	if (!good) {
		perror(what);
		exit(1);
	}
}

static void give_queue(uid_t uid, gid_t gid)
{
	int queue = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
	struct msqid_ds status;

	check(queue >= 0 && msgctl(queue, IPC_STAT, &status) == 0, "msgget");
	status.msg_perm.uid = uid;
	status.msg_perm.gid = gid;
	check(msgctl(queue, IPC_SET, &status) == 0, "msgctl");
}

static void give_segment(uid_t uid)
{
	int segment = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
	struct shmid_ds status;

	check(segment >= 0 && shmat(segment, NULL, 0) != (void *)-1, "shmat");
	check(shmctl(segment, IPC_STAT, &status) == 0, "shmctl");
	status.shm_perm.uid = uid;
	check(shmctl(segment, IPC_SET, &status) == 0, "shmctl");
}

int main(int argc, char **argv)
{
	char byte;

	if (argc != 4) {
		(void)fprintf(stderr, "usage: giver FIRST LAST CREATOR\n");
		return 1;
	}
	uid_t first = (uid_t)atoi(argv[1]), last = (uid_t)atoi(argv[2]), creator = (uid_t)atoi(argv[3]);

	check(setresgid(creator, creator, creator) == 0 && setresuid(creator, creator, creator) == 0, "setresuid");
	for (uid_t number = first; number <= last; number += 2)
		give_queue(number, number + 1);
	give_segment(first);
	check(puts("ready") >= 0 && fflush(stdout) == 0, "puts");
	return read(STDIN_FILENO, &byte, 1) < 0;
}
