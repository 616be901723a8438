/* keyctl(2) as the user itself: nobody else, not even root, has a right to these keyrings. See reap/keyrings.h. */
#include "keyrings.h"

#include <linux/keyctl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "run_as_uid.h"

/* A line for each user that has keys (proc(5)). */
#define KEY_USERS "/proc/key-users"
/* All rights to whoever has the keyring and to its owner, those of user-keyring(7) and more. */
#define RIGHTS 0x3F3F0000UL

/*
 * Invalidated, a keyring is gone as soon as the kernel comes to it, and a fresh one is made when it is next asked for. Emptied
 * before that, since it is not gone at once.
 */
static void end_keyring(long keyring)
{
	/* The owner may have taken its own rights. */
	(void)syscall(SYS_keyctl, KEYCTL_SETPERM, keyring, RIGHTS);
	(void)syscall(SYS_keyctl, KEYCTL_CLEAR, keyring);
	(void)syscall(SYS_keyctl, KEYCTL_INVALIDATE, keyring);
}

static void end_own(const void *unused)
{
	const long make = 1;
	/* All by their numbers: once one is invalid the kernel finds none by its role. */
	const long keyrings[] = {
		syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_SESSION_KEYRING, make),
		syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, make),
		/* EOPNOTSUPP: a kernel without them. In this process's own, which holds it, and ends with it. */
		syscall(SYS_keyctl, KEYCTL_GET_PERSISTENT, (long)-1, (long)KEY_SPEC_PROCESS_KEYRING),
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(keyrings) / sizeof(keyrings[0]); i++) {
		if (keyrings[i] > 0)
			end_keyring(keyrings[i]);
	}
}

/* A line of each user that has keys begins with its UID. There may also be some if that file cannot be read. */
static bool may_have_keys(uid_t uid)
{
	FILE *users = fopen(KEY_USERS, "re");
	char *line = NULL;
	size_t room = 0;
	bool found = false;

	if (users == NULL)
		return true;
	while (!found && getline(&line, &room, users) > 0)
		found = strtoul(line, NULL, 10) == uid;
	found = found || feof(users) == 0;
	free(line);
	(void)fclose(users);
	return found;
}

void clear_keyrings(uid_t uid)
{
	if (may_have_keys(uid))
		(void)run_as_uid(uid, end_own, NULL);
}
