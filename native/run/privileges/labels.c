/* By the files of proc(5), /proc/PID/attr; see labels.h. A module that the kernel does not have is passed over, as by systemd. */
#include "labels.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/fail.h"
#include "descriptor.h"
#include "exec/kernel_file.h"

#define MODULES "/sys/kernel/security/lsm"
#define MODULES_BYTES 512
#define LABEL_BYTES 4352

/* The modules that are active, by name, with a comma on both sides; empty if the kernel does not say. */
static char modules[MODULES_BYTES];

static void read_modules(void)
{
	int file = open(MODULES, O_RDONLY | O_CLOEXEC);
	ssize_t length = file < 0 ? -1 : read(file, modules + 1, sizeof(modules) - 3);

	close_quietly(file);
	if (length < 0)
		return;
	modules[0] = ',';
	modules[length + 1] = ',';
	modules[length + 2] = '\0';
}

/* Without securityfs, by what the module itself shows. */
static bool has_module(const char *name, const char *sign)
{
	char listed[MODULES_BYTES];

	(void)snprintf(listed, sizeof(listed), ",%s,", name);
	return modules[0] != '\0' ? strstr(modules, listed) != NULL : access(sign, F_OK) == 0;
}

static bool has_selinux;
static bool has_apparmor;
static bool has_smack;

int labels_open(const struct plan *plan)
{
	int attributes;

	if (plan->selinux_context == NULL && plan->apparmor_profile == NULL && plan->smack_label == NULL)
		return -1;
	read_modules();
	has_selinux = has_module("selinux", "/sys/fs/selinux/enforce");
	has_apparmor = has_module("apparmor", "/sys/module/apparmor/parameters/enabled");
	has_smack = has_module("smack", "/sys/fs/smackfs/load2");
	attributes = open("/proc/self/attr", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (attributes < 0 && (has_selinux || has_apparmor || has_smack))
		fail_errno(errno, "cannot open /proc/self/attr");
	return attributes;
}

/* own: the module's own file, which older kernels do not have; prefix: what it expects before the label. */
static void set_label(int attributes, const char *property, const char *label, const char *own, const char *shared,
		      const char *prefix)
{
	bool ignored = label[0] == '-';
	char text[LABEL_BYTES];

	if ((size_t)snprintf(text, sizeof(text), "%s%s", prefix, label + (ignored ? 1 : 0)) >= sizeof(text))
		fail(STATUS_LAUNCHER, "%s=: the label is too long", property);
	if (kernel_file_write(attributes, own, text) ||
	    (is_absence(errno) && kernel_file_write(attributes, shared, text)) || ignored)
		return;
	fail_errno(errno, "%s=: cannot set the label %s", property, label);
}

void labels_set(const struct plan *plan, int attributes)
{
	if (attributes < 0)
		return;
	if (plan->smack_label != NULL && has_smack)
		set_label(attributes, "SmackProcessLabel", plan->smack_label, "smack/current", "current", "");
	if (plan->selinux_context != NULL && has_selinux)
		set_label(attributes, "SELinuxContext", plan->selinux_context, "exec", "exec", "");
	if (plan->apparmor_profile != NULL && has_apparmor)
		set_label(attributes, "AppArmorProfile", plan->apparmor_profile, "apparmor/exec", "exec", "exec ");
	(void)close(attributes);
}
