/* See privileges.h. */
#include "privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capabilities.h"
#include "cli/fail.h"
#include "seccomp_filter.h"
#include "keyring.h"
#include "namespace/private_users.h"

static void check_groups(const struct plan *plan)
{
	gid_t *present = malloc((plan->group_count + 1) * sizeof(*present));
	int count = present == NULL ? -1 : getgroups((int)plan->group_count + 1, present);

	/* Linux keeps them sorted, as those of a plan are. */
	if (count < 0 || (size_t)count != plan->group_count ||
	    (count > 0 && memcmp(present, plan->groups, plan->group_count * sizeof(*present)) != 0))
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

	if (setgroups(plan->group_count, plan->groups) != 0)
		fail_errno(errno, "cannot set the supplementary groups%s", hint(errno));
	check_groups(plan);
	if (setresgid(plan->gid, plan->gid, plan->gid) != 0)
		fail_errno(errno, "cannot become group %u%s", plan->gid, hint(errno));
	if (getresgid(&real, &effective, &saved) != 0 || real != plan->gid || effective != plan->gid || saved != plan->gid)
		fail(STATUS_LAUNCHER, "the kernel did not make this process one of group %u", plan->gid);
}

static void set_user(const struct plan *plan)
{
	uid_t real = 0, effective = 0, saved = 0;

	if (plan->ambient_set != 0 && plan->uid != 0)
		capabilities_keep();
	if (setresuid(plan->uid, plan->uid, plan->uid) != 0)
		fail_errno(errno, "cannot become user %u%s", plan->uid, hint(errno));
	if (getresuid(&real, &effective, &saved) != 0 || real != plan->uid || effective != plan->uid || saved != plan->uid)
		fail(STATUS_LAUNCHER, "the kernel did not make this process one of user %u", plan->uid);
	if (plan->uid == 0)
		capabilities_of_root(plan->bounding_set, plan->ambient_set);
	else
		capabilities_become(plan->ambient_set);
	/* The service could do what we can do here. */
	if (plan->uid != 0 && (plan->ambient_set >> CAP_SETUID & 1U) == 0 && setuid(0) == 0)
		fail(STATUS_LAUNCHER, "user %u could become root again", plan->uid);
}

static void forbid_new_privileges(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		fail_errno(errno, "cannot forbid new privileges");
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		fail(STATUS_LAUNCHER, "the kernel did not forbid new privileges");
}

/* Root has other ways to a terminal. A command with "!" becomes the user, so the filter is for it too. */
static unsigned int filter_parts(const struct plan *plan)
{
	return (plan->restrict_suid_sgid ? FILTER_SPECIAL_FILES : 0U) | (plan->uid != 0 ? FILTER_TERMINAL : 0U);
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

void privileges_drop(const struct plan *plan, enum command_as as, int proc)
{
	keyring_leave();
	if (as == AS_USER)
		/* Before the user namespace, in which most groups are nobody's and cannot be set. */
		set_groups(plan);
	if (as != AS_OUTSIDE) {
		if (plan->private_users)
			private_users_enter(proc, plan->uid, plan->gid);
		/* After it, since it comes with all capabilities in every set; before the UID, which takes CAP_SETPCAP. */
		capabilities_reset();
		capabilities_bound(plan->bounding_set);
		/* The filter needs one of the two: this, or CAP_SYS_ADMIN, which is gone after the UID. */
		if (plan->no_new_privileges)
			forbid_new_privileges();
		seccomp_filter_install(filter_parts(plan));
	}
	if (as == AS_USER)
		set_user(plan);
	(void)umask(plan->umask);
	enter_directory(plan);
}
