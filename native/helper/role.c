/* Capabilities by role; see role.h and capabilities(7). */
#include "role.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BIT(capability) (UINT64_C(1) << (capability))
/* Directories that are closed to others: below /dev/shm, /var/lib, and those that sources of NSS keep for root. */
#define READS BIT(CAP_DAC_READ_SEARCH)
/* /proc that is mounted with hidepid= shows processes of others by this alone (proc(5)). */
#define SEES_PROCESSES BIT(CAP_SYS_PTRACE)

static uint64_t needed_by(enum role role)
{
	switch (role) {
	case ROLE_BARE:
		return 0;
	case ROLE_PROBE:
		return READS | SEES_PROCESSES;
	case ROLE_REAPER:
		/*
		 * Becomes the user to signal all of it at once, signals by itself what has other UIDs, removes System V objects (IPC_RMID
		 * of another's takes CAP_SYS_ADMIN) and files of others in /dev/shm and /dev/mqueue, which are sticky, and takes from
		 * the user what cannot be removed there (CAP_CHOWN).
		 */
		return READS | SEES_PROCESSES | BIT(CAP_SETUID) | BIT(CAP_SETGID) | BIT(CAP_KILL) | BIT(CAP_SYS_ADMIN) |
		       BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) | BIT(CAP_CHOWN);
	case ROLE_INSPECT:
		/* Attributes below "trusted." are shown to CAP_SYS_ADMIN alone (xattr(7)). */
		return READS | BIT(CAP_SYS_ADMIN);
	case ROLE_TREE_READ:
		return READS;
	case ROLE_TREE_CHANGE:
		/*
		 * FSETID: a new owner would otherwise take the setgid bit of a directory along with the mode that is being set.
		 * SYS_ADMIN: what is kept of a tree's owner is in "trusted." attributes.
		 */
		return READS | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_CHOWN) | BIT(CAP_FOWNER) | BIT(CAP_FSETID) |
		       BIT(CAP_SYS_ADMIN);
	case ROLE_TREE_PROBE:
		/*
		 * SETUID, SETGID: a user namespace that maps a number other than ours (user_namespaces(7)). SYS_PTRACE: to open that of a
		 * child, which dumps no core (ptrace(2)).
		 */
		return READS | BIT(CAP_SYS_ADMIN) | BIT(CAP_SETUID) | BIT(CAP_SETGID) | BIT(CAP_SYS_PTRACE);
	}
	return 0;
}

static bool capabilities(int call, struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3])
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(call, &header, data) == 0;
}

bool role_named(const char *name, enum role *role)
{
	static const struct {
		const char *name;
		enum role role;
	} names[] = { { "probe", ROLE_PROBE }, { "reaper", ROLE_REAPER }, { "inspect", ROLE_INSPECT } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i].name, name) == 0) {
			*role = names[i].role;
			return true;
		}
	}
	return false;
}

bool role_take(enum role role)
{
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { 0 } };
	struct __user_cap_data_struct now[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	/* What the host has taken away already stays away: then a question fails, and says of what. */
	if (!capabilities(SYS_capget, data))
		return false;
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].permitted &= (uint32_t)(needed_by(role) >> (32 * i));
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	/* Without no_new_privs a program that is started as root would have the whole bounding set again (execve(2)). */
	if (!capabilities(SYS_capset, data) || prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) != 0)
		return false;
	if (!capabilities(SYS_capget, now) || memcmp(now, data, sizeof(data)) != 0 ||
	    prctl(PR_GET_NO_NEW_PRIVS, 0L, 0L, 0L, 0L) != 1) {
		errno = EPERM;
		return false;
	}
	return true;
}
