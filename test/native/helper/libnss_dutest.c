/*
 * An NSS module that does what the name or number asked of it says, for the tests of dynuser-helper: it answers, errs, is
 * slow, hangs, crashes, prints, or leaves a child behind. Users have "du-" names; numbers are 64100 and above.
 */
#include <errno.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))
#define SLOW_NANOSECONDS 300000000L
#define BIG_RECORD 200000

/* What is asked for, as one word: a name after "du-", or what stands for a number. */
static const char *word_of_number(unsigned int number)
{
	switch (number) {
	case 64100:
		return "user";
	case 64101:
		return "group";
	case 64102:
		return "hang";
	case 64103:
		return "crash";
	case 64104:
		return "error-5";
	case 64105:
		return "odd";
	default:
		return "";
	}
}

static void leave_child_behind(void)
{
	if (fork() == 0) {
		(void)prctl(PR_SET_PDEATHSIG, 0);
		sleep(3);
		_exit(0);
	}
	(void)raise(SIGSEGV);
}

/* Does what the word says; *status is set where the lookup is over with that. */
static bool act(const char *word, size_t size, int *error, enum nss_status *status)
{
	if (strcmp(word, "hang") == 0) {
		/* So that pgrep(1) finds it. */
		(void)prctl(PR_SET_NAME, "du-hang");
		for (;;)
			pause();
	} else if (strcmp(word, "crash") == 0) {
		(void)raise(SIGSEGV);
	} else if (strcmp(word, "exit") == 0) {
		_exit(7);
	} else if (strcmp(word, "orphan") == 0) {
		leave_child_behind();
	} else if (strcmp(word, "print") == 0) {
		(void)printf("free\nfree\n");
		(void)fflush(stdout);
	} else if (strcmp(word, "slow") == 0) {
		nanosleep(&(struct timespec){ .tv_nsec = SLOW_NANOSECONDS }, NULL);
	} else if (strncmp(word, "error-", 6) == 0) {
		*error = atoi(word + 6);
		*status = NSS_STATUS_UNAVAIL;
		return true;
	} else if ((strcmp(word, "big") == 0 && size < BIG_RECORD) || strcmp(word, "endless") == 0) {
		*error = ERANGE;
		*status = NSS_STATUS_TRYAGAIN;
		return true;
	}
	return false;
}

static bool is_user(const char *word)
{
	return strcmp(word, "user") == 0 || strcmp(word, "slow") == 0 || strcmp(word, "big") == 0 ||
	       strcmp(word, "print") == 0 || strcmp(word, "odd") == 0;
}

static enum nss_status answer_user(const char *word, struct passwd *record, char *buffer, size_t size, int *error)
{
	enum nss_status status = NSS_STATUS_NOTFOUND;

	if (act(word, size, error, &status))
		return status;
	if (!is_user(word)) {
		*error = ENOENT;
		return NSS_STATUS_NOTFOUND;
	}
	/* A name with what the protocol must escape: a blank, a newline, a percent sign and a byte that is not UTF-8. */
	(void)snprintf(buffer, size, "%s", strcmp(word, "odd") == 0 ? "o d\nd%\xff" : "du-user");
	*record = (struct passwd){
		.pw_name = buffer,
		.pw_passwd = buffer,
		.pw_gecos = buffer,
		.pw_dir = buffer,
		.pw_shell = buffer,
		.pw_uid = 64100,
		.pw_gid = 64101,
	};
	return NSS_STATUS_SUCCESS;
}

static enum nss_status answer_group(const char *word, struct group *record, char *buffer, size_t size, int *error)
{
	if (strcmp(word, "group") != 0) {
		*error = ENOENT;
		return NSS_STATUS_NOTFOUND;
	}
	static char *no_members[] = { NULL };

	(void)snprintf(buffer, size, "du-group");
	*record = (struct group){ .gr_name = buffer, .gr_passwd = buffer, .gr_gid = 64101, .gr_mem = no_members };
	return NSS_STATUS_SUCCESS;
}

static const char *word_of_name(const char *name)
{
	return strncmp(name, "du-", 3) == 0 ? name + 3 : "";
}

/* What glibc looks up by name (nss(5)); no header declares it. */
EXPORTED enum nss_status _nss_dutest_getpwnam_r(const char *, struct passwd *, char *, size_t, int *);
EXPORTED enum nss_status _nss_dutest_getpwuid_r(uid_t, struct passwd *, char *, size_t, int *);
EXPORTED enum nss_status _nss_dutest_getgrnam_r(const char *, struct group *, char *, size_t, int *);
EXPORTED enum nss_status _nss_dutest_getgrgid_r(gid_t, struct group *, char *, size_t, int *);

enum nss_status _nss_dutest_getpwnam_r(const char *name, struct passwd *record, char *buffer, size_t size, int *error)
{
	return answer_user(word_of_name(name), record, buffer, size, error);
}

enum nss_status _nss_dutest_getpwuid_r(uid_t uid, struct passwd *record, char *buffer, size_t size, int *error)
{
	return answer_user(word_of_number(uid), record, buffer, size, error);
}

enum nss_status _nss_dutest_getgrnam_r(const char *name, struct group *record, char *buffer, size_t size, int *error)
{
	return answer_group(word_of_name(name), record, buffer, size, error);
}

enum nss_status _nss_dutest_getgrgid_r(gid_t gid, struct group *record, char *buffer, size_t size, int *error)
{
	return answer_group(word_of_number(gid), record, buffer, size, error);
}
