/*
 * System V objects by their place in the kernel's tables (the *_INFO and *_STAT_ANY commands of shmctl(2), semctl(2) and
 * msgctl(2)). The id that a look returns has a sequence number in it, so that IPC_RMID never hits an object that came to the
 * same place later.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

#include "ipc_removal.h"

#define SAME ((uid_t)-1)

/* semctl(2): the caller has to define it. */
union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
	struct seminfo *__buf;
};

/* What the three kinds have in common; place is below what highest returns, and look returns the id or -1. */
struct kind {
	int (*highest)(void);
	int (*look)(int place, struct ipc_perm *owner);
	int (*remove)(int id);
};

static int shm_highest(void)
{
	struct shmid_ds information; /* longer than the struct shm_info that is written there */

	_Static_assert(sizeof(struct shmid_ds) >= sizeof(struct shm_info), "room for shm_info");
	return shmctl(0, SHM_INFO, &information);
}

static int shm_look(int place, struct ipc_perm *owner)
{
	struct shmid_ds status;
	int id = shmctl(place, SHM_STAT_ANY, &status);

	if (id >= 0)
		*owner = status.shm_perm;
	return id;
}

static int shm_remove(int id)
{
	return shmctl(id, IPC_RMID, NULL);
}

static int sem_highest(void)
{
	struct seminfo information;

	return semctl(0, 0, SEM_INFO, (union semun){ .__buf = &information });
}

static int sem_look(int place, struct ipc_perm *owner)
{
	struct semid_ds status;
	int id = semctl(place, 0, SEM_STAT_ANY, (union semun){ .buf = &status });

	if (id >= 0)
		*owner = status.sem_perm;
	return id;
}

static int sem_remove(int id)
{
	return semctl(id, 0, IPC_RMID);
}

static int msg_highest(void)
{
	struct msqid_ds information;

	_Static_assert(sizeof(struct msqid_ds) >= sizeof(struct msginfo), "room for msginfo");
	return msgctl(0, MSG_INFO, &information);
}

static int msg_look(int place, struct ipc_perm *owner)
{
	struct msqid_ds status;
	int id = msgctl(place, MSG_STAT_ANY, &status);

	if (id >= 0)
		*owner = status.msg_perm;
	return id;
}

static int msg_remove(int id)
{
	return msgctl(id, IPC_RMID, NULL);
}

static const struct kind kinds[] = {
	{ shm_highest, shm_look, shm_remove },
	{ sem_highest, sem_look, sem_remove },
	{ msg_highest, msg_look, msg_remove },
};

/*
 * Only the owner may remove an object, and CAP_SYS_ADMIN, which a hardened daemon does not have: so the owner's UID becomes
 * the effective one for a moment. The real and the saved one stay root's, so that no process of the owner may signal us.
 */
static void remove_as(uid_t owner, const struct kind *kind, int id)
{
	if (setresuid(SAME, owner, SAME) != 0)
		return;
	(void)kind->remove(id);
	/* A change of the effective UID clears what confine() in main.c has set. */
	if (setresuid(SAME, 0, SAME) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0) != 0)
		abort();
}

/* Whether an object is one of those that go. */
static bool belongs(const struct ipc_perm *owner, uid_t uid, gid_t gid)
{
	return (owner->uid == uid && uid != 0) || (owner->gid == gid && gid != 0);
}

void remove_sysv_ipc(uid_t uid, gid_t gid)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		/* -1 in a kernel without System V IPC. */
		int highest = kinds[i].highest();

		for (int place = 0; place <= highest; place++) {
			struct ipc_perm owner;
			int id = kinds[i].look(place, &owner);

			if (id < 0 || !belongs(&owner, uid, gid))
				continue;
			if (kinds[i].remove(id) < 0 && errno == EPERM)
				remove_as(owner.uid, &kinds[i], id);
		}
	}
}
