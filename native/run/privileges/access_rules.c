/* See access_rules.h. C libraries have no functions for these calls. */
#include "access_rules.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/fail.h"
#include "namespace/resolve.h"

/* Of Linux 5.19 and 6.2. */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

#define OF_FILES \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
	 LANDLOCK_ACCESS_FS_TRUNCATE)
#define READING (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITING \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | \
	 LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER)

unsigned int access_rules_version(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return version > 0 ? (unsigned int)version : 0;
}

/* Opens what a rule is about. -1: there is nothing that it could be about. */
static int open_object(int root, const struct access_rule *rule)
{
	int found = rule->has_device ? resolve(root, rule->path, 0) : resolve_no_symlinks(root, rule->path);

	if (found < 0 && !is_absence(errno) && errno != ELOOP)
		fail_errno(errno, "cannot open %s", rule->path);
	if (found >= 0 && rule->has_device)
		resolve_check(found, rule->path, rule->device, rule->inode);
	return found;
}

static void add_rule(int ruleset, int root, const struct access_rule *rule)
{
	struct landlock_path_beneath_attr beneath = { 0 };
	struct stat status;
	int found = open_object(root, rule);

	if (found < 0)
		return;
	if (fstat(found, &status) != 0)
		fail_errno(errno, "cannot stat %s", rule->path);
	if ((rule->rights & 1U << MAY_READ) != 0)
		beneath.allowed_access |= READING;
	if ((rule->rights & 1U << MAY_WRITE) != 0)
		beneath.allowed_access |= WRITING;
	if (!S_ISDIR(status.st_mode))
		beneath.allowed_access &= OF_FILES;
	beneath.parent_fd = found;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) != 0)
		fail_errno(errno, "cannot allow access to %s by Landlock", rule->path);
	(void)close(found);
}

int access_rules_make(const struct plan *plan)
{
	const struct landlock_ruleset_attr attributes = { .handled_access_fs = READING | WRITING };
	int root, ruleset;

	if (plan->access_rules_count == 0)
		return -1;
	root = open_directory("/");
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
	if (ruleset < 0)
		fail_errno(errno, "cannot make rules for Landlock");
	for (size_t i = 0; i < plan->access_rules_count; i++)
		add_rule(ruleset, root, &plan->access_rules[i]);
	(void)close(root);
	return ruleset;
}

void access_rules_enter(int ruleset)
{
	if (ruleset < 0)
		return;
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		fail_errno(errno, "cannot hold the service to the rules of Landlock");
	(void)close(ruleset);
}
