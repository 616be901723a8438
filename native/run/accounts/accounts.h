/*
 * Owns the questions to the account databases of the launcher's world: getent(1) is asked, and where there is none, or one that does
 * not know the question, the launcher's own C library, which as that of a static program reads /etc/passwd and /etc/group alone.
 * Functions end the launcher where something is not there, or cannot be looked for.
 */
#ifndef RUN_ACCOUNTS_H
#define RUN_ACCOUNTS_H

#include <stddef.h>
#include <sys/types.h>

/* NGROUPS_MAX of Linux since 2.6.4 (setgroups(2)). */
#define GROUPS_MAX 65536

/* What to do with the number of a group. */
typedef void account_found(void *context, gid_t id);

/* The groups that a user is in, as initgroups(3) has them; its own may be among them. A user that is not known is in none. */
void accounts_groups_of(const char *user, gid_t own, account_found *found, void *context);

/* The groups with these names, in one question. */
void accounts_groups_named(const char *const *names, size_t count, account_found *found, void *context);

/* The texts live until execve(2). */
struct account_user {
	const char *home;
	const char *shell;
};

struct account_user accounts_user(const char *name);

#endif
