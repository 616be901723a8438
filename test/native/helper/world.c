/*
 * Makes a world with one thing in it that a UID or GID owns, then becomes the given program:
 *
 *   world THING NUMBER PROGRAM
 *
 * To be run in IPC, PID and mount namespaces of its own (unshare -i -m), so that all of it goes with the last process.
 * For GID variants, THING has "gid-" in front. It says on standard error what went wrong, and exits 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define IPC_KEY 0x64756e
#define IPC_BYTES 4096
#define DEPTH 3000
#define SAME ((uid_t)-1)

static void check(bool good, const char *what)
{
	if (!good) {
		perror(what);
		exit(1);
	}
}

/* Who the thing belongs to: one of the two is the number, the other root's. */
struct owner {
	uid_t uid;
	gid_t gid;
};

static void give(const char *path, struct owner owner)
{
	check(lchown(path, owner.uid, owner.gid) == 0, path);
}

static void make_file(const char *path, struct owner owner)
{
	int descriptor = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	check(descriptor >= 0, path);
	close(descriptor);
	give(path, owner);
}

/*
 * System V objects are made by who they then belong to, so that they count; with "given-" before their name by root, which gives
 * them away as any user could.
 */
static bool is_given;

static void begin_creation(struct owner owner)
{
	if (!is_given)
		check(setresgid(SAME, owner.gid, SAME) == 0 && setresuid(SAME, owner.uid, SAME) == 0, "creator");
}

static void end_creation(void)
{
	check(setresuid(SAME, 0, SAME) == 0 && setresgid(SAME, 0, SAME) == 0, "root");
}

static void make_sysv_shm(struct owner owner, bool attached)
{
	begin_creation(owner);
	int id = shmget(IPC_KEY, IPC_BYTES, IPC_CREAT | 0600);
	struct shmid_ds status;

	end_creation();
	check(id >= 0 && shmctl(id, IPC_STAT, &status) == 0, "shmget");
	status.shm_perm.uid = owner.uid;
	status.shm_perm.gid = owner.gid;
	check(shmctl(id, IPC_SET, &status) == 0, "shmctl");
	if (!attached)
		return;
	pid_t child = fork();

	if (child == 0) {
		check(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && shmat(id, NULL, 0) != (void *)-1, "shmat");
		for (;;)
			pause();
	}
	check(child > 0, "fork");
	/* While it is being attached the kernel counts it twice. */
	for (int i = 0; i < 30000 && shmctl(id, IPC_STAT, &status) == 0 && status.shm_nattch != 1; i++)
		usleep(1000);
	check(status.shm_nattch == 1, "shm_nattch");
}

static void make_sysv_sem(struct owner owner)
{
	begin_creation(owner);
	int id = semget(IPC_KEY, 1, IPC_CREAT | 0600);
	struct semid_ds status;

	end_creation();
	check(id >= 0 && semctl(id, 0, IPC_STAT, &status) == 0, "semget");
	status.sem_perm.uid = owner.uid;
	status.sem_perm.gid = owner.gid;
	check(semctl(id, 0, IPC_SET, &status) == 0, "semctl");
}

static void make_sysv_msg(struct owner owner)
{
	begin_creation(owner);
	int id = msgget(IPC_KEY, IPC_CREAT | 0600);
	struct msqid_ds status;

	end_creation();
	check(id >= 0 && msgctl(id, IPC_STAT, &status) == 0, "msgget");
	status.msg_perm.uid = owner.uid;
	status.msg_perm.gid = owner.gid;
	check(msgctl(id, IPC_SET, &status) == 0, "msgctl");
}

static void make_queue(struct owner owner)
{
	mqd_t queue = mq_open("/du-queue", O_CREAT | O_RDWR, 0600, NULL);

	check(queue != (mqd_t)-1, "mq_open");
	mq_close(queue);
	check(mkdir("/dev/mqueue", 0755) == 0 && mount("mqueue", "/dev/mqueue", "mqueue", 0, NULL) == 0, "/dev/mqueue");
	give("/dev/mqueue/du-queue", owner);
}

static void make_deep(struct owner owner)
{
	for (int i = 0; i < DEPTH; i++)
		check(chdir(i == 0 ? "/dev/shm" : "d") == 0 && mkdir("d", 0700) == 0, "mkdir");
	make_file("file", owner);
	check(chdir("/") == 0, "chdir");
}

static void make_link(struct owner owner)
{
	check(mkdir("/mnt/outside", 0700) == 0 && symlink("/mnt/outside", "/dev/shm/link") == 0, "symlink");
	make_file("/mnt/outside/file", owner);
}

static void make_mount(struct owner owner)
{
	check(mkdir("/dev/shm/other", 0700) == 0 && mount("tmpfs", "/dev/shm/other", "tmpfs", 0, NULL) == 0, "mount");
	make_file("/dev/shm/other/file", owner);
}

/* The group of this thread alone, which has others before and behind it. */
static void join(gid_t group)
{
	const gid_t groups[] = { 1, group, 2 };

	check(syscall(SYS_setgroups, 3, groups) == 0, "setgroups");
}

/* Changes one of the four UIDs or GIDs of this thread alone: libc's wrappers would change those of all threads. */
static void become(const char *which, uid_t id, bool group)
{
	uid_t real = strcmp(which, "real") == 0 ? id : SAME;
	uid_t effective = strcmp(which, "effective") == 0 ? id : SAME;
	uid_t saved = strcmp(which, "saved") == 0 ? id : SAME;

	if (strcmp(which, "supplementary") == 0) {
		join(id);
		return;
	}
	if (strcmp(which, "filesystem") == 0)
		(void)syscall(group ? SYS_setfsgid : SYS_setfsuid, id);
	else
		check(syscall(group ? SYS_setresgid : SYS_setresuid, real, effective, saved) == 0, which);
	/* The file-system UID follows the effective one; here each must stand alone. */
	if (effective == id)
		(void)syscall(group ? SYS_setfsgid : SYS_setfsuid, 0);
}

struct thread_orders {
	const char *which;
	uid_t id;
	bool group;
	int ready;
};

static void *run_thread(void *argument)
{
	struct thread_orders *orders = argument;

	become(orders->which, orders->id, orders->group);
	check(write(orders->ready, "r", 1) == 1, "write");
	for (;;)
		pause();
	return NULL;
}

static void make_process(const char *which, uid_t id, bool group, bool in_thread)
{
	int ready[2];
	char byte;

	check(pipe2(ready, O_CLOEXEC) == 0, "pipe2");
	pid_t child = fork();

	if (child == 0) {
		struct thread_orders orders = { which, id, group, ready[1] };
		pthread_t thread;

		(void)prctl(PR_SET_NAME, "du world)\n");
		check(close(0) == 0 && close(1) == 0, "close");
		if (in_thread)
			check(pthread_create(&thread, NULL, run_thread, &orders) == 0, "pthread_create");
		else
			become(which, id, group);
		/* A change of credentials clears the signal, so it is asked for after it. */
		check(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, "prctl");
		if (!in_thread)
			check(write(ready[1], "r", 1) == 1, "write");
		for (;;)
			pause();
	}
	check(child > 0, "fork");
	close(ready[1]);
	check(read(ready[0], &byte, 1) == 1, "the child is not ready");
	close(ready[0]);
}

static void make(const char *thing, uid_t number, bool group)
{
	struct owner owner = { group ? 0 : number, group ? number : 0 };

	is_given = strncmp(thing, "given-", 6) == 0;
	thing += is_given ? 6 : 0;
	if (strncmp(thing, "process-", 8) == 0)
		make_process(thing + 8, number, group, false);
	else if (strncmp(thing, "thread-", 7) == 0)
		make_process(thing + 7, number, group, true);
	else if (strcmp(thing, "sysv-shm") == 0 || strcmp(thing, "sysv-shm-attached") == 0)
		make_sysv_shm(owner, thing[8] != '\0');
	else if (strcmp(thing, "sysv-sem") == 0)
		make_sysv_sem(owner);
	else if (strcmp(thing, "sysv-msg") == 0)
		make_sysv_msg(owner);
	else if (strcmp(thing, "posix-mq") == 0)
		make_queue(owner);
	else if (strcmp(thing, "posix-shm") == 0)
		make_file("/dev/shm/file", owner);
	else if (strcmp(thing, "posix-shm-nested") == 0 && mkdir("/dev/shm/a", 0755) == 0 &&
		 mkdir("/dev/shm/a/b", 0700) == 0)
		make_file("/dev/shm/a/b/file", owner);
	else if (strcmp(thing, "posix-shm-deep") == 0)
		make_deep(owner);
	else if (strcmp(thing, "outside-link") == 0)
		make_link(owner);
	else if (strcmp(thing, "outside-mount") == 0)
		make_mount(owner);
	else
		check(strcmp(thing, "nothing") == 0, thing);
}

int main(int argc, char **argv)
{
	if (argc < 4) {
		(void)fprintf(stderr, "usage: world THING NUMBER PROGRAM [ARGUMENT]\n");
		return 1;
	}
	bool group = strncmp(argv[1], "gid-", 4) == 0;

	check(mount("tmpfs", "/dev", "tmpfs", 0, "mode=0755") == 0 && mkdir("/dev/shm", 01777) == 0, "/dev");
	check(mount("tmpfs", "/mnt", "tmpfs", 0, "mode=0755") == 0, "mount /mnt");
	make(argv[1] + (group ? 4 : 0), (uid_t)atoi(argv[2]), group);
	execv(argv[3], argv + 3);
	perror(argv[3]);
	return 1;
}
