/* Owns the questions to NSS, and what counts as "not found". It may block or crash as the NSS modules of the host do. */
#ifndef DYNUSER_HELPER_PROBE_ACCOUNTS_H
#define DYNUSER_HELPER_PROBE_ACCOUNTS_H

#include <stdbool.h>
#include <sys/types.h>

#include "protocol.h"

/* The largest record that is read; a group with some ten thousand members. */
#define RECORD_MAX (1024 * 1024)

enum lookup { LOOKUP_FOUND, LOOKUP_NOT_FOUND, LOOKUP_FAILED };

/* For a group, number is its GID; for a user its UID, and group its primary GID. Only a user has a home and a shell. */
struct account {
	char name[TEXT_MAX + 1];
	char home[TEXT_MAX + 1], shell[TEXT_MAX + 1];
	uint32_t number;
	uint32_t group;
	/* whether home or shell was too long, and is cut */
	bool is_cut;
};

/* If a source fails to say, the answer is that error. */
enum lookup user_by_name(const char *name, struct account *account, struct answer *answer);
enum lookup user_by_number(uint32_t uid, struct account *account, struct answer *answer);
enum lookup group_by_name(const char *name, struct account *account, struct answer *answer);
enum lookup group_by_number(uint32_t gid, struct account *account, struct answer *answer);

/* The groups of a user and its group, as initgroups(3) takes them, until the next call. NULL with errno. */
gid_t *groups_of_user(const char *user, gid_t gid, int *count);

#endif
