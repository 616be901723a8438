/*
 * Owns what a helper is for. The daemon keeps processes of a kind for each class of questions; each gives up, before it reads
 * the first one, every capability that none of them needs, and answers no other. Programs that it starts get nothing back.
 */
#ifndef DYNUSER_HELPER_ROLE_H
#define DYNUSER_HELPER_ROLE_H

#include <stdbool.h>

/* The status of a program that was not started as the daemon does. */
#define EXIT_USAGE 2

/* One bit each, so that a verb can say which roles have it. */
enum role {
	ROLE_BARE = 0,	       /* needs no capability: the lock keeper, and a child that becomes a user */
	ROLE_PROBE = 1,	       /* foreign code runs here: NSS modules. Reads IPC lists and /proc */
	ROLE_REAPER = 2,       /* ends what a UID left */
	ROLE_INSPECT = 4,      /* inspects directories */
	ROLE_TREE_READ = 8,    /* counts the inodes of a tree */
	ROLE_TREE_CHANGE = 16, /* changes owners and modes in a tree, or removes what is in it */
	ROLE_TREE_PROBE = 32,  /* tries an id-mapped mount */
};

/* The role that the daemon names on the command line of a helper that answers questions. Returns false if there is none. */
bool role_named(const char *name, enum role *role);

/*
 * Keeps of the capabilities of this process those that the role needs, sets no_new_privs, and reads both back. Before threads
 * are started: both are a thread's own. Returns false with errno.
 */
bool role_take(enum role role);

#endif
