/* See privileges.h. */
#include "privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/securebits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/fail.h"
#include "namespace/namespaces.h"

#define CAPABILITIES_MAX 64U
#define WORD_BITS 32U

struct sets {
	uint64_t effective, permitted, inheritable;
};

static uint64_t both(uint32_t low, uint32_t high)
{
	return (uint64_t)high << WORD_BITS | low;
}

static struct sets read_sets(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &header, data) != 0)
		fail_errno(errno, "cannot read the capabilities");
	return (struct sets){
		.effective = both(data[0].effective, data[1].effective),
		.permitted = both(data[0].permitted, data[1].permitted),
		.inheritable = both(data[0].inheritable, data[1].inheritable),
	};
}

static void write_sets(struct sets sets)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
		{ (uint32_t)sets.effective, (uint32_t)sets.permitted, (uint32_t)sets.inheritable },
		{ (uint32_t)(sets.effective >> WORD_BITS), (uint32_t)(sets.permitted >> WORD_BITS),
		  (uint32_t)(sets.inheritable >> WORD_BITS) },
	};
	struct sets after;

	if (syscall(SYS_capset, &header, data) != 0)
		fail_errno(errno, "cannot set the capabilities");
	after = read_sets();
	if (memcmp(&after, &sets, sizeof(sets)) != 0)
		fail(STATUS_LAUNCHER, "the kernel did not set the capabilities as it was asked to");
}

bool capability_is_effective(unsigned int capability)
{
	return (read_sets().effective >> capability & 1U) != 0;
}

/* Whether a failure says that the kernel has no more capabilities (capabilities(7)), and not that it was forbidden to ask. */
static bool is_last(unsigned int capability)
{
	return errno == EINVAL && capability > 0;
}

/* Makes root's UID special again and empties the ambient set: what a fresh process has, whatever was inherited. */
static void reset_capabilities(void)
{
	int bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);

	if (bits < 0)
		fail_errno(errno, "cannot read the securebits");
	if (bits != SECUREBITS_DEFAULT) {
		if (prctl(PR_SET_SECUREBITS, SECUREBITS_DEFAULT, 0, 0, 0) != 0)
			fail_errno(errno, "cannot reset the securebits, which are 0x%x", (unsigned int)bits);
		if (prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) != SECUREBITS_DEFAULT)
			fail(STATUS_LAUNCHER, "the kernel did not reset the securebits as it was asked to");
	}
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
		fail_errno(errno, "cannot empty the ambient capability set");
}

/* Takes from the bounding set what is not in the mask. */
static void bound_capabilities(uint64_t bounding)
{
	for (unsigned int i = 0; i < CAPABILITIES_MAX; i++) {
		int dropped, error, has;

		if ((bounding >> i & 1U) != 0)
			continue;
		/* Without CAP_SETPCAP it fails also for one that is not there. */
		dropped = prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
		error = errno;
		has = prctl(PR_CAPBSET_READ, i, 0, 0, 0);
		if (has < 0 && is_last(i))
			return;
		if (has < 0)
			fail_errno(errno, "cannot read the capability bounding set");
		if (has > 0 && dropped != 0)
			fail_errno(error, "cannot take capability %u from the bounding set", i);
		if (has > 0)
			fail(STATUS_LAUNCHER, "the kernel did not take capability %u from the bounding set", i);
	}
}

/* Others are not ambient, since they are not inheritable, which was read back (capabilities(7)). */
static void raise_ambient(uint64_t ambient)
{
	for (unsigned int i = 0; i < CAPABILITIES_MAX; i++) {
		if ((ambient >> i & 1U) == 0)
			continue;
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) != 0)
			fail_errno(
				errno,
				"cannot give the service capability %u (is it in the bounding set, and does the launcher have it?)",
				i);
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0) != 1)
			fail(STATUS_LAUNCHER, "the kernel did not set the ambient capabilities as it was asked to");
	}
}

/*
 * The capabilities that it takes to set the securebits, and to install the filter, the last step, unless there are no new privileges.
 * execve(2) takes them away: from a user since they are not ambient, from root since they are not in the bounding set.
 */
static uint64_t kept_until_execve(const struct plan *plan)
{
	uint64_t kept = plan->has_secure_bits ? UINT64_C(1) << CAP_SETPCAP : 0;

	if (plan->filter != NULL && !plan->no_new_privileges)
		kept |= UINT64_C(1) << CAP_SYS_ADMIN;
	return read_sets().permitted & kept;
}

/* After the change of the UID: makes these the permitted, effective, inheritable and ambient ones, and all others but 'kept' none. */
static void set_capabilities(uint64_t ambient, uint64_t kept)
{
	uint64_t usable = ambient | kept;

	write_sets((struct sets){ .permitted = usable, .effective = usable, .inheritable = ambient });
	raise_ambient(ambient);
	if (usable != 0 && prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) != 0)
		fail_errno(errno, "cannot let go of the securebits");
}

/* For root itself: leaves of the permitted and effective ones those of the mask and 'kept', and makes the others none. */
static void set_capabilities_of_root(uint64_t bounding, uint64_t ambient, uint64_t kept)
{
	struct sets sets = read_sets();

	write_sets((struct sets){
		.effective = sets.effective & (bounding | kept),
		.permitted = sets.permitted & (bounding | kept),
		.inheritable = ambient & sets.permitted & bounding,
	});
	raise_ambient(ambient);
}

/*
 * Gives this process a new, empty session keyring (session-keyring(7)) in place of that of whoever started the launcher, whose keys are
 * not the service's. As the launcher's user, so that no key counts for a dynamic user that uses none; the process keeps its rights to the
 * keyring. keyctl(2) has no function in the C library.
 */
static void leave_keyring(void)
{
	/* Without a name it is always a new one. */
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0)
		return;
	/*
	 * A kernel without keys, and a container's filter or security module that keeps everybody from them. What forbids this call
	 * holds for the service too, which gets no keys then.
	 */
	if (errno == ENOSYS || errno == EPERM || errno == EACCES)
		return;
	if (errno == EDQUOT)
		fail(STATUS_LAUNCHER,
		     "user %u, who starts this, has as many keys as it may have (/proc/key-users), so the service cannot get a new session keyring; raise the limit (keyrings(7))",
		     (unsigned int)getuid());
	fail_errno(errno, "cannot leave the session keyring of whoever started this");
}

/* Links the keyring of the user, which goes by the real UID, into the session's. */
static void share_keyring(uid_t uid)
{
	long linked;
	int error;

	if (setreuid(uid, (uid_t)-1) != 0)
		fail_errno(errno, "KeyringMode=shared: cannot become user %u", uid);
	linked = syscall(SYS_keyctl, KEYCTL_LINK, KEY_SPEC_USER_KEYRING, KEY_SPEC_SESSION_KEYRING);
	error = errno;
	if (setreuid(0, (uid_t)-1) != 0)
		fail_errno(errno, "cannot become root again");
	/* As above: without keys there are none to share. */
	if (linked < 0 && error != ENOSYS && error != EPERM && error != EACCES)
		fail_errno(error, "KeyringMode=shared: cannot link the keyring of user %u", uid);
}

static void choose_keyring(const struct plan *plan)
{
	if (plan->keyring == KEYRING_INHERIT)
		return;
	leave_keyring();
	if (plan->keyring == KEYRING_SHARED)
		share_keyring(plan->uid);
}

/* Last of all that securebits forbid, and before the capability for it goes with execve(2). */
static void set_secure_bits(const struct plan *plan)
{
	if (!plan->has_secure_bits)
		return;
	if (prctl(PR_SET_SECUREBITS, (unsigned long)plan->secure_bits, 0, 0, 0) != 0)
		fail_errno(errno, "SecureBits=: cannot set them");
	if (prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) != (int)plan->secure_bits)
		fail(STATUS_LAUNCHER, "the kernel did not set the securebits as it was asked to");
}

static void check_groups(const struct plan *plan)
{
	gid_t *present = malloc((plan->groups_count + 1) * sizeof(*present));
	int count = present == NULL ? -1 : getgroups((int)plan->groups_count + 1, present);

	/* Linux keeps them sorted, as those of a plan are. */
	if (count < 0 || (size_t)count != plan->groups_count ||
	    (count > 0 && memcmp(present, plan->groups, plan->groups_count * sizeof(*present)) != 0))
		fail(STATUS_LAUNCHER, "the kernel did not set the supplementary groups as asked");
	free(present);
}

/* user_namespaces(7): only numbers that a namespace maps exist in it. */
static const char *hint(int error)
{
	return error == EINVAL ? " (this user namespace has to map it)" : "";
}

static void set_groups(const struct plan *plan)
{
	gid_t real = 0, effective = 0, saved = 0;

	if (setgroups(plan->groups_count, plan->groups) != 0)
		fail_errno(errno, "cannot set the supplementary groups%s", hint(errno));
	check_groups(plan);
	if (setresgid(plan->gid, plan->gid, plan->gid) != 0)
		fail_errno(errno, "cannot become group %u%s", plan->gid, hint(errno));
	if (getresgid(&real, &effective, &saved) != 0 || real != plan->gid || effective != plan->gid ||
	    saved != plan->gid)
		fail(STATUS_LAUNCHER, "the kernel did not make this process one of group %u", plan->gid);
}

static void set_user(const struct plan *plan)
{
	uint64_t kept = kept_until_execve(plan);
	uid_t real = 0, effective = 0, saved = 0;

	/* The change of the UID would take them. */
	if ((plan->ambient_set | kept) != 0 && plan->uid != 0 && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
		fail_errno(errno, "cannot keep capabilities for the service");
	if (setresuid(plan->uid, plan->uid, plan->uid) != 0)
		fail_errno(errno, "cannot become user %u%s", plan->uid, hint(errno));
	if (getresuid(&real, &effective, &saved) != 0 || real != plan->uid || effective != plan->uid ||
	    saved != plan->uid)
		fail(STATUS_LAUNCHER, "the kernel did not make this process one of user %u", plan->uid);
	if (plan->uid == 0)
		set_capabilities_of_root(plan->bounding_set, plan->ambient_set, kept);
	else
		set_capabilities(plan->ambient_set, kept);
	/* The service could do what we can do here. */
	if (plan->uid != 0 && (plan->ambient_set >> CAP_SETUID & 1U) == 0 && setuid(0) == 0)
		fail(STATUS_LAUNCHER, "user %u could become root again", plan->uid);
}

void forbid_new_privileges(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		fail_errno(errno, "cannot forbid new privileges");
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		fail(STATUS_LAUNCHER, "the kernel did not forbid new privileges");
}

#ifndef PR_SET_MDWE
/* linux/prctl.h of Linux 6.3. */
#define PR_SET_MDWE 65
#define PR_GET_MDWE 66
#define PR_MDWE_REFUSE_EXEC_GAIN 1UL
#endif

static void deny_write_execute(void)
{
	if (prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0L, 0L, 0L) != 0)
		fail_errno(errno, "cannot keep memory that is written from being executed");
	if (prctl(PR_GET_MDWE, 0L, 0L, 0L, 0L) != (int)PR_MDWE_REFUSE_EXEC_GAIN)
		fail(STATUS_LAUNCHER, "the kernel did not keep memory that is written from being executed");
}

/*
 * As the user, who alone may have access on a network file system, and who must not be in a directory that it may not enter. In the
 * namespace: a directory that was entered before would lead out of it.
 */
static void enter_directory(const struct plan *plan)
{
	if (plan->working_directory == NULL || chdir(plan->working_directory) == 0 || plan->working_directory_optional)
		return;
	fail_errno(errno, "cannot change to the working directory %s", plan->working_directory);
}

void privileges_drop(const struct plan *plan, enum launch_command_as as, const struct private_users *users)
{
	choose_keyring(plan);
	if (as == AS_USER)
		/* Before the user namespace, in which most groups are not mapped and cannot be set. */
		set_groups(plan);
	if (as != AS_OUTSIDE) {
		private_users_enter(users);
		/* After it, since it comes with all capabilities in every set; before the UID, which takes CAP_SETPCAP. */
		reset_capabilities();
		bound_capabilities(plan->bounding_set);
		if (plan->no_new_privileges)
			forbid_new_privileges();
		if (plan->memory_deny_write_execute)
			deny_write_execute();
	}
	if (as == AS_USER)
		set_user(plan);
	if (as != AS_OUTSIDE)
		set_secure_bits(plan);
	(void)umask(plan->umask);
	enter_directory(plan);
}
