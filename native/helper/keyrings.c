/* keyctl(2) as the user itself: nobody else, not even root, has a right to these keyrings. See keyrings.h. */
#include "keyrings.h"

#include <linux/keyctl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "stand_in.h"

/* A line for each user that has keys (proc(5)): what is not in it has none. */
#define KEY_USERS "/proc/key-users"
/* All rights to whoever has the keyring and to its owner, those of user-keyring(7) and more. */
#define RIGHTS 0x3F3F0000UL

static void clear(long keyring)
{
	/* The owner may have taken its own right to write. */
	(void)syscall(SYS_keyctl, KEYCTL_SETPERM, keyring, RIGHTS);
	(void)syscall(SYS_keyctl, KEYCTL_CLEAR, keyring);
}

static void clear_own(const void *unused)
{
	/* This process's own: it holds the other one, which cannot be named otherwise, and ends with it. */
	long persistent = syscall(SYS_keyctl, KEYCTL_GET_PERSISTENT, (long)-1, (long)KEY_SPEC_PROCESS_KEYRING);

	(void)unused;
	clear(KEY_SPEC_USER_KEYRING);
	clear(KEY_SPEC_USER_SESSION_KEYRING);
	/* EOPNOTSUPP: a kernel without them. */
	if (persistent > 0)
		clear(persistent);
}

/* Where it cannot be told, as on a kernel whose /proc lacks the file, there may be some. */
static bool may_have_keys(uid_t uid)
{
	FILE *users = fopen(KEY_USERS, "re");
	unsigned int user = 0;
	bool found = false;

	if (users == NULL)
		return true;
	while (!found && fscanf(users, " %u:%*[^\n]", &user) == 1)
		found = user == uid;
	(void)fclose(users);
	return found;
}

void clear_keyrings(uid_t uid)
{
	if (may_have_keys(uid))
		(void)act_as_user(uid, clear_own, NULL);
}
