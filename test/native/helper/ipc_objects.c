/* IPC objects of all five kinds, made by real processes; see the header. */
#include "ipc_objects.h"

#include <fcntl.h>
#include <mqueue.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

void make_file(const char *path)
{
	int descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

	CHECK(descriptor >= 0, "%s", path);
	close(descriptor);
}

static void path_of(char path[64], uid_t uid, const char *rest)
{
	(void)snprintf(path, 64, "/dev/shm/%u%s", uid, rest);
}

/* Makes one of each, and ends with its first segment attached. */
static _Noreturn void make_all(uid_t uid, struct made *made)
{
	char path[64];

	CHECK(setresgid(uid, uid, uid) == 0 && setresuid(uid, uid, uid) == 0, "credentials");
	made->segment = shmget(IPC_PRIVATE, SEGMENT, IPC_CREAT | 0600);
	made->semaphores = semget(IPC_PRIVATE, 3, IPC_CREAT | 0600);
	made->messages = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
	CHECK(made->segment >= 0 && made->semaphores >= 0 && made->messages >= 0, "System V");
	CHECK(shmat(made->segment, NULL, 0) != (void *)-1, "shmat");
	(void)snprintf(path, sizeof(path), "/%u-shared", uid);
	CHECK(shm_open(path, O_CREAT | O_EXCL | O_RDWR, 0600) >= 0, "shm_open");
	CHECK(mq_open(path, O_CREAT | O_EXCL | O_RDWR, 0600, NULL) != (mqd_t)-1, "mq_open");
	path_of(path, uid, "");
	CHECK(mkdir(path, 0700) == 0, "mkdir");
	path_of(path, uid, "/a");
	CHECK(mkdir(path, 0500) == 0 && chmod(path, 0700) == 0, "mkdir");
	path_of(path, uid, "/a/file");
	make_file(path);
	path_of(path, uid, "/a/fifo");
	CHECK(mkfifo(path, 0600) == 0, "mkfifo");
	path_of(path, uid, "/a/link");
	CHECK(symlink("/outside/file", path) == 0, "symlink");
	path_of(path, uid, "/a");
	CHECK(chmod(path, 0500) == 0, "chmod");
	_exit(0);
}

struct made make_as(uid_t uid)
{
	struct made *made = mmap(NULL, sizeof(*made), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 1;

	CHECK(made != MAP_FAILED, "mmap");
	pid_t child = fork();

	if (child == 0)
		make_all(uid, made);
	CHECK(waitpid(child, &status, 0) == child && status == 0, "a process that makes objects");
	struct made copy = *made;

	CHECK(munmap(made, sizeof(*made)) == 0, "munmap");
	return copy;
}

bool there(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0;
}

void check_made(uid_t uid, const struct made *made, bool expected)
{
	struct shmid_ds segment;
	struct semid_ds semaphores;
	struct msqid_ds messages;
	char path[64];

	CHECK((shmctl(made->segment, IPC_STAT, &segment) == 0) == expected, "segment of %u", uid);
	CHECK((semctl(made->semaphores, 0, IPC_STAT, &semaphores) == 0) == expected, "semaphores of %u", uid);
	CHECK((msgctl(made->messages, IPC_STAT, &messages) == 0) == expected, "messages of %u", uid);
	path_of(path, uid, "/a/file");
	CHECK(there(path) == expected, "%s", path);
	path_of(path, uid, "/a/link");
	CHECK(there(path) == expected, "%s", path);
	path_of(path, uid, "");
	CHECK(there(path) == expected, "%s", path);
	path_of(path, uid, "-shared");
	CHECK(there(path) == expected, "%s", path);
	(void)snprintf(path, sizeof(path), "/dev/mqueue/%u-shared", uid);
	CHECK(there(path) == expected, "%s", path);
}
int make_by_group(void)
{
	int ids[2], segment = -1;

	CHECK(pipe(ids) == 0, "pipe");
	pid_t child = fork();

	if (child == 0) {
		struct shmid_ds status;

		CHECK(setresuid(OTHERS, OTHERS, OTHERS) == 0, "setresuid");
		segment = shmget(IPC_PRIVATE, SEGMENT, IPC_CREAT | 0600);
		CHECK(shmctl(segment, IPC_STAT, &status) == 0, "shmctl");
		status.shm_perm.gid = OURS;
		CHECK(shmctl(segment, IPC_SET, &status) == 0, "shmctl");
		CHECK(write(ids[1], &segment, sizeof(segment)) == sizeof(segment), "write");
		_exit(0);
	}
	CHECK(waitpid(child, NULL, 0) == child && read(ids[0], &segment, sizeof(segment)) == sizeof(segment), "read");
	close(ids[0]);
	close(ids[1]);
	return segment;
}
