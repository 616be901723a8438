/*
 * Who created a System V object decides for whom it counts, whoever has it, and what strangers gave goes. In IPC and mount namespaces
 * of the test's own, so that nothing has to be cleaned up. Needs root.
 */
#include "reap/ipc_removal.h"

#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "ipc_objects.h"

#define GIVEN 2200
/* Has neither of the others' numbers. */
#define STRANGER 1000U

static const struct uid_interval intervals[] = { { 100000, 100009 }, { 61184, 65519 } };
static const struct uid_range dynamic = { intervals, 2 };

static void expect(const char *expected)
{
	struct answer answer = { .length = 0 };

	if (!remove_ipc(OURS, &dynamic, &answer))
		answer_begin(&answer, "free");
	CHECK(answer.length >= strlen(expected) && memcmp(answer.line, expected, strlen(expected)) == 0,
	      "%.*s instead of %s", (int)answer.length, answer.line, expected);
}

static struct shmid_ds status_of(int segment)
{
	struct shmid_ds status;

	CHECK(shmctl(segment, IPC_STAT, &status) == 0, "shmctl");
	return status;
}

/* The kernel keeps an attached segment until its last user has let go; nobody has a right to it any more, and it counts for nobody. */
static void test_attached(void)
{
	struct made ours = make_as(OURS);
	void *memory = shmat(ours.segment, NULL, 0);

	CHECK(memory != (void *)-1, "shmat");
	expect("free");
	struct shmid_ds status = status_of(ours.segment);

	CHECK((status.shm_perm.mode & SHM_DEST) != 0 && (status.shm_perm.mode & 0777) == 0, "%o", status.shm_perm.mode);
	CHECK(status.shm_perm.uid == 0 && status.shm_perm.gid == 0 && status.shm_perm.cuid == OURS, "its owner");
	CHECK(shmdt(memory) == 0 && shmctl(ours.segment, IPC_STAT, &status) < 0, "shmdt");
}

static void find(bool expected, bool given)
{
	struct answer answer = { .length = 0 };
	bool was_given = false;
	bool found = find_sysv_ipc(OURS, &dynamic, &was_given, &answer);

	CHECK(found == expected && was_given == given, "found %d, given %d", found, was_given);
}

/* Makes a queue by one user and gives it away. */
static int give_queue(uid_t creator, uid_t uid, gid_t gid)
{
	struct msqid_ds status;

	CHECK(setresgid(0, creator, 0) == 0 && setresuid(0, creator, 0) == 0, "credentials");
	int queue = msgget(IPC_PRIVATE, IPC_CREAT | 0600);

	CHECK(queue >= 0 && msgctl(queue, IPC_STAT, &status) == 0, "msgget");
	status.msg_perm.uid = uid;
	status.msg_perm.gid = gid;
	CHECK(msgctl(queue, IPC_SET, &status) == 0, "msgctl");
	CHECK(setresuid(0, 0, 0) == 0 && setresgid(0, 0, 0) == 0, "credentials");
	return queue;
}

static bool has_queue(int queue)
{
	struct msqid_ds status;

	return msgctl(queue, IPC_STAT, &status) == 0;
}

/* By whom an object was made decides for whom it counts; what it counts for is removed at the end of that. */
static void test_creators(void)
{
	int away = give_queue(OURS, STRANGER, STRANGER);

	find(true, false);
	expect("free");
	CHECK(!has_queue(away), "ours, in others' hands");
	int dynamics = give_queue(OTHERS, OURS, OTHERS);

	find(true, false);
	expect("free");
	CHECK(!has_queue(dynamics), "ours, of another dynamic user");
	int gift = give_queue(STRANGER, OURS, STRANGER);

	find(false, true);
	expect("free");
	CHECK(!has_queue(gift), "a gift, at the end of a user");
	int others = give_queue(STRANGER, OTHERS, OTHERS);

	find(false, false);
	expect("free");
	CHECK(has_queue(others) && msgctl(others, IPC_RMID, NULL) == 0, "what others gave to others");
}

/* What strangers gave, to the UID or to the GID, goes by one question; an attached segment of theirs is nobody's then. */
static void test_given(void)
{
	struct answer answer = { .length = 0 };
	int segment = make_by_group(), ours = give_queue(OURS, OURS, OURS),
	    theirs = give_queue(STRANGER, STRANGER, STRANGER);
	void *memory = shmat(segment, NULL, 0);

	for (int i = 0; i < GIVEN; i++)
		(void)give_queue(STRANGER, i % 2 == 0 ? OURS : STRANGER, i % 2 == 0 ? STRANGER : OURS);
	remove_given_ipc(OURS, &dynamic, &answer);
	answer.line[answer.length] = '\0';
	CHECK(strncmp(answer.line, "removed 2200 sysv-msg ", 22) == 0, "%s", answer.line);
	CHECK(strcmp(strrchr(answer.line, ' '), " 1000") == 0, "%s", answer.line);
	CHECK(has_queue(ours) && has_queue(theirs), "what was not given");
	/* The segment was made by a dynamic user. */
	find(true, false);
	expect("free");
	CHECK(!has_queue(ours) && has_queue(theirs) && shmdt(memory) == 0, "ours alone");
	CHECK(msgctl(theirs, IPC_RMID, NULL) == 0, "msgctl");
}

int main(void)
{
	CHECK(unshare(CLONE_NEWNS | CLONE_NEWIPC) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0,
	      "unshare");
	CHECK(mount("tmpfs", "/dev/shm", "tmpfs", 0, "mode=1777") == 0, "mount");
	test_attached();
	test_creators();
	test_given();
	return 0;
}
