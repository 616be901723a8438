/*
 * System V objects by their place in the kernel's tables: the *_INFO and *_STAT_ANY commands of shmctl(2), semctl(2) and
 * msgctl(2) (Linux 4.17).
 */
#include "sysv_ipc.h"

#include <errno.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

/* semctl(2): the caller has to define it. */
union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
	struct seminfo *__buf;
};

/*
 * What the three kinds have in common. highest returns the last place that is taken, and *count is how many are; stat returns the
 * id of what is at a place, or -1.
 */
struct sysv_kind {
	const char *name;
	int (*highest)(int *count);
	int (*stat)(int place, struct ipc_perm *permissions, struct sysv_object *object);
	int (*remove)(int id);
};

static int shm_highest(int *count)
{
	/* longer than the struct shm_info that is written there */
	union {
		struct shmid_ds any;
		struct shm_info information;
	} place = { 0 };

	_Static_assert(sizeof(struct shmid_ds) >= sizeof(struct shm_info), "room for shm_info");
	int highest = shmctl(0, SHM_INFO, &place.any);

	*count = place.information.used_ids;
	return highest;
}

static int shm_stat(int place, struct ipc_perm *permissions, struct sysv_object *object)
{
	struct shmid_ds status;
	int id = shmctl(place, SHM_STAT_ANY, &status);

	if (id >= 0) {
		*permissions = status.shm_perm;
		object->is_attached = status.shm_nattch > 0;
		object->is_doomed = (status.shm_perm.mode & SHM_DEST) != 0;
	}
	return id;
}

static int shm_remove(int id)
{
	return shmctl(id, IPC_RMID, NULL);
}

static int sem_highest(int *count)
{
	struct seminfo information = { 0 };
	int highest = semctl(0, 0, SEM_INFO, (union semun){ .__buf = &information });

	*count = information.semusz;
	return highest;
}

static int sem_stat(int place, struct ipc_perm *permissions, struct sysv_object *object)
{
	struct semid_ds status;
	int id = semctl(place, 0, SEM_STAT_ANY, (union semun){ .buf = &status });

	(void)object;
	if (id >= 0)
		*permissions = status.sem_perm;
	return id;
}

static int sem_remove(int id)
{
	return semctl(id, 0, IPC_RMID);
}

static int msg_highest(int *count)
{
	union {
		struct msqid_ds any;
		struct msginfo information;
	} place = { 0 };

	_Static_assert(sizeof(struct msqid_ds) >= sizeof(struct msginfo), "room for msginfo");
	int highest = msgctl(0, MSG_INFO, &place.any);

	*count = place.information.msgpool;
	return highest;
}

static int msg_stat(int place, struct ipc_perm *permissions, struct sysv_object *object)
{
	struct msqid_ds status;
	int id = msgctl(place, MSG_STAT_ANY, &status);

	(void)object;
	if (id >= 0)
		*permissions = status.msg_perm;
	return id;
}

static int msg_remove(int id)
{
	return msgctl(id, IPC_RMID, NULL);
}

static const struct sysv_kind kinds[] = {
	{ "sysv-shm", shm_highest, shm_stat, shm_remove },
	{ "sysv-sem", sem_highest, sem_stat, sem_remove },
	{ "sysv-msg", msg_highest, msg_stat, msg_remove },
};

static bool is_created_by(const struct sysv_object *object, uint32_t number)
{
	return object->creator_uid == number || object->creator_gid == number;
}

static bool is_owned_by(const struct sysv_object *object, uint32_t number)
{
	return object->uid == number || object->gid == number;
}

/* Whether it counts for the number. */
static bool counts(const struct sysv_object *object, uint32_t number, const struct uid_range *dynamic)
{
	return !object->is_doomed && (is_created_by(object, number) ||
				      (is_owned_by(object, number) && uid_range_has(dynamic, object->creator_uid)));
}

bool sysv_was_given(const struct sysv_object *object, uint32_t number, const struct uid_range *dynamic)
{
	return !object->is_doomed && is_owned_by(object, number) && !counts(object, number, dynamic);
}

/* Whether a place is merely empty, or has been emptied meanwhile. */
static bool is_gone(int error)
{
	return error == EINVAL || error == EIDRM;
}

static bool walk_kind(const struct sysv_kind *kind, visit_sysv *visit, void *data, bool *ended)
{
	int count = 0;
	/* -1 in a kernel without System V IPC; 0 if the first place is taken, and if none is. */
	int highest = kind->highest(&count);

	for (int place = 0; count > 0 && place <= highest && !*ended; place++) {
		struct sysv_object object = { .kind = kind, .name = kind->name };
		struct ipc_perm permissions;

		object.id = kind->stat(place, &permissions, &object);
		if (object.id < 0 && !is_gone(errno))
			return false;
		if (object.id < 0)
			continue;
		object.uid = permissions.uid;
		object.gid = permissions.gid;
		object.creator_uid = permissions.cuid;
		object.creator_gid = permissions.cgid;
		*ended = visit(data, &object);
	}
	return true;
}

bool walk_sysv(visit_sysv *visit, void *data)
{
	bool ended = false;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !ended; i++) {
		if (!walk_kind(&kinds[i], visit, data, &ended))
			return false;
	}
	return true;
}

struct search {
	uint32_t number;
	const struct uid_range *dynamic;
	bool *given;
	bool found;
	struct answer *answer;
};

static bool search_object(void *data, const struct sysv_object *object)
{
	struct search *search = data;

	if (sysv_was_given(object, search->number, search->dynamic))
		*search->given = true;
	if (!counts(object, search->number, search->dynamic))
		return false;
	search->found = true;
	answer_begin(search->answer, "ipc");
	answer_word(search->answer, object->name);
	answer_number(search->answer, (uint64_t)object->id);
	return true;
}

bool find_sysv_ipc(uint32_t number, const struct uid_range *dynamic, bool *given, struct answer *answer)
{
	struct search search = { .number = number, .dynamic = dynamic, .given = given, .answer = answer };

	if (walk_sysv(search_object, &search))
		return search.found;
	return answer_error(answer, "sysvipc", errno);
}

bool sysv_remove(const struct sysv_object *object)
{
	struct shmid_ds status = { 0 };

	/* Owner, group and mode 0: root's. */
	if (object->is_attached)
		(void)shmctl(object->id, IPC_SET, &status);
	return object->kind->remove(object->id) == 0;
}
