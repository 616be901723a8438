/*
 * IPC objects of all five kinds, left behind by real processes, are removed; what belongs to others is there afterwards. In IPC
 * and mount namespaces of the test's own, so that nothing has to be cleaned up. Needs root.
 */
#include "reap/ipc_removal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "ipc_objects.h"
#include "questions.h"

#define DEEP 3000

static const struct uid_interval interval = { 61184, 65519 };
static const struct uid_range dynamic = { &interval, 1 };

static void expect(const char *expected)
{
	struct answer answer = { .length = 0 };

	if (!remove_ipc(OURS, &dynamic, &answer))
		answer_begin(&answer, "free");
	CHECK(answer.length >= strlen(expected) && memcmp(answer.line, expected, strlen(expected)) == 0,
	      "%.*s instead of %s", (int)answer.length, answer.line, expected);
}

/* The question after it removes nothing, and is answered unless this one ends the line. */
static void remove_account(const char *argument, const char *expected)
{
	struct context context = { .dynamic = dynamic };
	struct answer answer = { .length = 0 };
	char line[128];

	(void)snprintf(line, sizeof(line), "remove-account-ipc %s; remove-account-ipc 0,0", argument);
	answer_line(line, ROLE_REAPER, &context, &answer);
	CHECK(answer.length == strlen(expected) && memcmp(answer.line, expected, strlen(expected)) == 0, "%s: %.*s",
	      argument, (int)answer.length, answer.line);
}

/* Of an account: what is of its UID or of the group, and not what is of a number that is the other's. */
static void test_account(void)
{
	static const char *const invalid[] = {
		"", "5", "5,", ",5", "05,6", "5,+6", "5,6,7", "5,4294967295", "99999999999,5", "-1,5"
	};
	const struct {
		const char *path;
		uid_t uid;
		gid_t gid;
		bool goes;
	} files[] = { { "/dev/shm/of-user", 5, 7, true },
		      { "/dev/shm/of-group", 9, 60, true },
		      { "/dev/shm/of-root", 0, 0, false },
		      { "/dev/shm/exchanged", 60, 5, false },
		      { "/dev/shm/of-others", 9, 9, false } };

	for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++)
		remove_account(invalid[i], "invalid");
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		make_file(files[i].path);
		CHECK(chown(files[i].path, files[i].uid, files[i].gid) == 0, "chown");
	}
	remove_account("0,0", "free; free");
	CHECK(there("/dev/shm/of-user") && there("/dev/shm/of-root"), "what is of nobody");
	remove_account("5,60", "free; free");
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		CHECK(there(files[i].path) != files[i].goes, "%s", files[i].path);
		CHECK(files[i].goes || unlink(files[i].path) == 0, "unlink");
	}
}

static void test_all_kinds(void)
{
	expect("free");
	char account_text[32];
	struct made ours = make_as(OURS), theirs = make_as(OTHERS);

	(void)snprintf(account_text, sizeof(account_text), "%u,%u", (unsigned int)OTHERS, (unsigned int)OTHERS);
	check_made(OURS, &ours, true);
	expect("free");
	check_made(OURS, &ours, false);
	check_made(OTHERS, &theirs, true);
	CHECK(there("/outside/file"), "what a symlink of ours leads to");
	remove_account("0,0", "free; free");
	check_made(OTHERS, &theirs, true);
	remove_account(account_text, "free; free");
	check_made(OTHERS, &theirs, false);
}

/* What only its owner or CAP_SYS_ADMIN may remove goes without that capability, and the helper is as it was. */
static _Noreturn void remove_without_capability(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	int signal_of_death = 0;

	CHECK(syscall(SYS_capget, &header, data) == 0, "capget");
	data[0].effective &= ~(1U << CAP_SYS_ADMIN);
	data[0].permitted &= ~(1U << CAP_SYS_ADMIN);
	CHECK(syscall(SYS_capset, &header, data) == 0, "capset");
	expect("free");
	CHECK(prctl(PR_GET_PDEATHSIG, &signal_of_death) == 0 && signal_of_death == SIGKILL, "%d", signal_of_death);
	CHECK(prctl(PR_GET_DUMPABLE) == 0 && geteuid() == 0, "as before");
	_exit(0);
}

static void test_group_and_capabilities(void)
{
	int segment = make_by_group(), result = 1;
	struct shmid_ds status;

	make_file("/dev/shm/by-group");
	CHECK(chown("/dev/shm/by-group", OTHERS, OURS) == 0, "chown");
	pid_t child = fork();

	if (child == 0)
		remove_without_capability();
	CHECK(waitpid(child, &result, 0) == child && result == 0, "without CAP_SYS_ADMIN");
	CHECK(shmctl(segment, IPC_STAT, &status) < 0 && (errno == EINVAL || errno == EIDRM), "the segment");
	CHECK(!there("/dev/shm/by-group"), "the file");
}

/* What others have a part in cannot go, and becomes root's: so it keeps nobody's number. */
static void expect_roots(const char *path, mode_t mode)
{
	struct stat status;

	CHECK(lstat(path, &status) == 0 && status.st_uid == 0 && status.st_gid == 0, "%s", path);
	CHECK((status.st_mode & 07777) == mode, "%s: %o", path, status.st_mode);
}

static void test_things_of_others(void)
{
	CHECK(mkdir("/dev/shm/ours", 0777) == 0 && mkdir("/dev/shm/theirs", 0755) == 0, "mkdir");
	CHECK(mkdir("/dev/shm/ours/empty", 0755) == 0 && mkdir("/dev/shm/theirs/empty", 0755) == 0, "mkdir");
	CHECK(chown("/dev/shm/ours/empty", OTHERS, OTHERS) == 0, "chown");
	make_file("/dev/shm/ours/own");
	make_file("/dev/shm/ours/foreign");
	make_file("/dev/shm/theirs/file");
	CHECK(link("/dev/shm/theirs/file", "/dev/shm/ours/hard-link") == 0, "link");
	CHECK(link("/dev/shm/ours/own", "/dev/shm/theirs/hard-link") == 0, "link");
	CHECK(chown("/dev/shm/ours", OURS, OURS) == 0 && chown("/dev/shm/ours/own", OURS, OURS) == 0, "chown");
	CHECK(chown("/dev/shm/ours/foreign", OTHERS, OTHERS) == 0 && chown("/dev/shm/theirs", OTHERS, OTHERS) == 0,
	      "chown");
	CHECK(chmod("/dev/shm/ours", 07777) == 0, "chmod");
	expect("free");
	CHECK(there("/dev/shm/ours/foreign") && there("/dev/shm/theirs/file") && there("/dev/shm/ours/hard-link"),
	      "others'");
	expect_roots("/dev/shm/ours", 01777);
	CHECK(!there("/dev/shm/ours/own") && !there("/dev/shm/theirs/hard-link"), "ours under both names");
	CHECK(rmdir("/dev/shm/ours/empty") == 0 && rmdir("/dev/shm/theirs/empty") == 0, "empty directories of others");
	CHECK(unlink("/dev/shm/ours/foreign") == 0 && unlink("/dev/shm/ours/hard-link") == 0, "unlink");
	CHECK(rmdir("/dev/shm/ours") == 0 && there("/dev/shm/theirs/file"), "ours alone");
	CHECK(unlink("/dev/shm/theirs/file") == 0 && rmdir("/dev/shm/theirs") == 0, "unlink");
}

/* A mount below a directory of ours is not entered, and keeps the directory, which is root's then. */
static void test_mounted(void)
{
	CHECK(mkdir("/dev/shm/ours", 0755) == 0 && mkdir("/dev/shm/ours/mounted", 0755) == 0, "mkdir");
	CHECK(mount("tmpfs", "/dev/shm/ours/mounted", "tmpfs", 0, NULL) == 0, "mount");
	make_file("/dev/shm/ours/mounted/file");
	CHECK(chown("/dev/shm/ours", OURS, 0) == 0 && chown("/dev/shm/ours/mounted/file", OURS, 0) == 0, "chown");
	expect("free");
	CHECK(there("/dev/shm/ours/mounted/file"), "what is in the mount");
	expect_roots("/dev/shm/ours", 0755);
	CHECK(umount("/dev/shm/ours/mounted") == 0 && rmdir("/dev/shm/ours/mounted") == 0, "umount");
	CHECK(rmdir("/dev/shm/ours") == 0, "rmdir");
}

static void test_deep(void)
{
	int top = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	CHECK(chdir("/dev/shm") == 0, "chdir");
	for (int i = 0; i < DEEP; i++) {
		CHECK(mkdir("d", 0700) == 0 && chown("d", OURS, OURS) == 0 && chdir("d") == 0, "mkdir");
		make_file("file");
		CHECK(chown("file", OURS, OURS) == 0, "chown");
	}
	CHECK(fchdir(top) == 0, "fchdir");
	close(top);
	expect("free");
	CHECK(!there("/dev/shm/d"), "the whole of it");
}

/* Somebody who makes objects faster than they go: it ends, and tells. */
static void test_made_anew(void)
{
	pid_t child = fork();
	int ends[2];

	if (child == 0) {
		CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && setresuid(OURS, OURS, OURS) == 0, "credentials");
		for (;;) {
			int descriptor = open("/dev/shm/again", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

			if (descriptor >= 0)
				close(descriptor);
			(void)semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
		}
	}
	CHECK(child > 0 && pipe(ends) == 0, "fork");
	for (int i = 0; i < 20; i++)
		(void)remove_ipc(OURS, &dynamic, &(struct answer){ .length = 0 });
	CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child, "kill");
	expect("free");
}

int main(void)
{
	CHECK(unshare(CLONE_NEWNS | CLONE_NEWIPC) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0,
	      "unshare");
	CHECK(mount("tmpfs", "/mnt", "tmpfs", 0, "mode=0755") == 0, "mount");
	CHECK(mkdir("/mnt/dev", 0755) == 0 && mkdir("/mnt/proc", 0755) == 0 && mkdir("/mnt/outside", 0755) == 0,
	      "mkdir");
	CHECK(mount("/proc", "/mnt/proc", NULL, MS_BIND, NULL) == 0 && chroot("/mnt") == 0 && chdir("/") == 0,
	      "chroot");
	CHECK(mkdir("/dev/shm", 0755) == 0 && mkdir("/dev/mqueue", 0755) == 0, "mkdir");
	CHECK(mount("tmpfs", "/dev/shm", "tmpfs", 0, "mode=1777") == 0, "mount");
	CHECK(mount("mqueue", "/dev/mqueue", "mqueue", 0, NULL) == 0, "mount");
	make_file("/outside/file");
	CHECK(chown("/outside/file", OURS, OURS) == 0, "chown");
	test_account();
	test_all_kinds();
	test_group_and_capabilities();
	test_things_of_others();
	test_mounted();
	test_deep();
	test_made_anew();
	return 0;
}
