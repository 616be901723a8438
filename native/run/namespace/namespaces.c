/* unshare(2), netdevice(7) for the loopback interface, and user_namespaces(7); see namespaces.h. */
#include "namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/fail.h"
#include "digits.h"
#include "exec/kernel_file.h"
#include "resolve.h"

/* A pid and the longest name below it. */
#define NAME_BYTES 32
#define LINES_BYTES 96
/* The child calls one function, which needs next to nothing. */
#define STACK_BYTES 16384

static void enter(int flag, const char *what, const char *property)
{
	if (unshare(flag) == 0)
		return;
	if (errno == EPERM)
		fail(STATUS_LAUNCHER,
		     "%s=: cannot create %s: CAP_SYS_ADMIN is missing or blocked; grant it, or turn the property off",
		     property, what);
	if (errno == EINVAL)
		fail(STATUS_LAUNCHER, "%s=: cannot create %s: this kernel has none; turn the property off", property,
		     what);
	fail_errno(errno, "%s=: cannot create %s", property, what);
}

/* The kernel gives it its addresses when it goes up. Any socket will do for netdevice(7), also without IPv4. */
static void bring_loopback_up(void)
{
	struct ifreq interface = { .ifr_name = "lo" };
	int control = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (control < 0 || ioctl(control, SIOCGIFFLAGS, &interface) != 0)
		fail_errno(errno, "PrivateNetwork=: cannot find the loopback interface");
	interface.ifr_flags = (short)(interface.ifr_flags | IFF_UP);
	if (ioctl(control, SIOCSIFFLAGS, &interface) != 0)
		fail_errno(errno, "PrivateNetwork=: cannot bring the loopback interface up, which needs CAP_NET_ADMIN");
	(void)close(control);
}

/*
 * Opens the namespace at a path, which may be a link of /proc/PID/ns. What is there is looked at before it is opened: a device or a FIFO
 * would take notice, or wait.
 */
static int open_namespace_at(int proc, const char *path, int kind, const char *property)
{
	char name[NAME_BYTES];
	struct statfs status;
	int found = open(path, O_PATH | O_CLOEXEC), namespace;

	if (found < 0)
		fail_errno(errno, "%s=: cannot open %s", property, path);
	if (fstatfs(found, &status) != 0)
		fail_errno(errno, "%s=: cannot stat %s", property, path);
	if (status.f_type != NSFS_MAGIC)
		fail(STATUS_LAUNCHER,
		     "%s=: %s is not a namespace; name a file such as /run/netns/NAME or /proc/PID/ns/NAME", property,
		     path);
	(void)digits_put(stpcpy(name, "self/fd/"), (uint32_t)found, 10);
	namespace = openat(proc, name, O_RDONLY | O_CLOEXEC);
	if (namespace < 0)
		fail_errno(errno, "%s=: cannot open %s by /proc", property, path);
	if (ioctl(namespace, NS_GET_NSTYPE) != kind)
		fail(STATUS_LAUNCHER, "%s=: %s is a namespace of another kind", property, path);
	(void)close(found);
	return namespace;
}

static void join_at(int proc, const char *path, int kind, const char *property)
{
	int namespace = open_namespace_at(proc, path, kind, property);

	if (setns(namespace, kind) != 0)
		fail_errno(errno, "%s=: cannot enter the namespace at %s", property, path);
	(void)close(namespace);
}

/* Enters the namespaces that the plan names by their paths. */
static void join_those_at_paths(const struct plan *plan)
{
	int proc;

	if (plan->network_namespace == NULL && plan->ipc_namespace == NULL)
		return;
	proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0)
		fail_errno(errno, "cannot open /proc, which NetworkNamespacePath= and IPCNamespacePath= need");
	if (plan->network_namespace != NULL)
		join_at(proc, plan->network_namespace, CLONE_NEWNET, "NetworkNamespacePath");
	if (plan->ipc_namespace != NULL)
		join_at(proc, plan->ipc_namespace, CLONE_NEWIPC, "IPCNamespacePath");
	(void)close(proc);
}

static bool has_new_network(const struct plan *plan)
{
	return plan->private_network && plan->network_namespace == NULL;
}

static bool has_new_ipc(const struct plan *plan)
{
	return plan->private_ipc && plan->ipc_namespace == NULL;
}

void namespaces_enter_shared(const struct plan *plan)
{
	join_those_at_paths(plan);
	if (has_new_network(plan)) {
		enter(CLONE_NEWNET, "a network namespace", "PrivateNetwork");
		if (!plan->loopback_down)
			bring_loopback_up();
	}
	if (has_new_ipc(plan))
		enter(CLONE_NEWIPC, "an IPC namespace", "PrivateIPC");
}

void namespaces_enter(const struct plan *plan)
{
	if (plan->private_control_groups)
		enter(CLONE_NEWCGROUP, "a control group namespace", "ProtectControlGroups");
	if (!plan->private_host_name)
		return;
	enter(CLONE_NEWUTS, "a UTS namespace", "ProtectHostname");
	if (plan->host_name != NULL && sethostname(plan->host_name, strlen(plan->host_name)) != 0)
		fail_errno(errno, "ProtectHostname=: cannot set the host name %s", plan->host_name);
}

/* The path of a file of a process below /proc, written to a place of NAME_BYTES. */
static const char *path_of_process(char *path, pid_t process, const char *file)
{
	(void)stpcpy(stpcpy(digits_put(path, (uint32_t)process, 10), "/"), file);
	return path;
}

static int open_of_process(int proc, pid_t process, const char *file)
{
	char path[NAME_BYTES];

	return openat(proc, path_of_process(path, process, file), O_RDONLY | O_CLOEXEC);
}

static bool write_of_process(int proc, pid_t process, const char *file, const char *text)
{
	char path[NAME_BYTES];

	return kernel_file_write(proc, path_of_process(path, process, file), text);
}

/* Whether a user namespace is that of this process. */
static bool has_our_users(int proc, int namespace)
{
	struct stat other, ours;

	return fstat(namespace, &other) == 0 && fstatat(proc, "self/ns/user", &ours, 0) == 0 &&
	       other.st_dev == ours.st_dev && other.st_ino == ours.st_ino;
}

/* Whether a namespace belongs to this process's user namespace (ioctl_nsfs(2)). */
static bool is_of_our_users(int proc, int namespace)
{
	int owner = ioctl(namespace, NS_GET_USERNS);
	bool is_ours = owner >= 0 && has_our_users(proc, owner);

	close_quietly(owner);
	return is_ours;
}

static void join(int proc, pid_t process, const char *file, int flag)
{
	int namespace = open_of_process(proc, process, file);

	if (namespace < 0)
		fail_errno(errno, "cannot open /proc/%d/%s of the service", (int)process, file);
	if (!is_of_our_users(proc, namespace))
		fail(STATUS_LAUNCHER, "the service has left the namespace that it was started in (/proc/%d/%s)",
		     (int)process, file);
	if (setns(namespace, flag) != 0)
		fail_errno(errno, "cannot enter /proc/%d/%s of the service", (int)process, file);
	(void)close(namespace);
}

void namespaces_join(const struct plan *plan, pid_t process)
{
	int proc;

	join_those_at_paths(plan);
	if (!has_new_network(plan) && !has_new_ipc(plan))
		return;
	proc = open_directory("/proc");
	if (has_new_network(plan))
		join(proc, process, "ns/net", CLONE_NEWNET);
	if (has_new_ipc(plan))
		join(proc, process, "ns/ipc", CLONE_NEWIPC);
	(void)close(proc);
}

/* Writes one of /proc/<process>/{uid,gid}_map: root is root, and inside is outside. False with errno. */
static bool write_map(int proc, pid_t process, const char *file, uint32_t inside, uint32_t outside)
{
	char lines[LINES_BYTES];
	char *end = lines;

	/* Rows must not overlap (user_namespaces(7)): a row for root's own files is the only one. */
	if (inside != 0 && outside != 0)
		end = stpcpy(end, "0 0 1\n");
	(void)stpcpy(digits_put(stpcpy(digits_put(end, inside, 10), " "), outside, 10), " 1\n");
	/* All of it in one write, and only once (user_namespaces(7)). */
	return write_of_process(proc, process, file, lines);
}

struct stack {
	char bytes[STACK_BYTES] __attribute__((aligned(64)));
};

/* Shares the memory of the launcher, so it must do nothing that changes any: clone(2) ends it when this returns. */
static int end_at_once(void *unused)
{
	(void)unused;
	return 0;
}

/* Writes the mappings of the user namespace of a process. False with errno. */
typedef bool map_writer(int proc, pid_t process, const void *mapping);

/*
 * Makes a user namespace. Nothing ever runs in it: *child is created in it and ends at once. Until it is waited for, it has its place
 * below /proc, and its namespace. -1 with errno, and perhaps with a child.
 * stack: the child's, for as long.
 */
static int make_namespace(int proc, map_writer *write_maps, const void *mapping, struct stack *stack, pid_t *child)
{
	/* CLONE_VM: no copy of page tables for a child that does nothing. Without a signal at its end. */
	*child = clone(end_at_once, stack->bytes + sizeof(stack->bytes), CLONE_NEWUSER | CLONE_VM, NULL);
	return *child >= 0 && write_maps(proc, *child, mapping) ? open_of_process(proc, *child, "ns/user") : -1;
}

/* Waits for a child, if there is one; errno is left alone. */
static void wait_for(pid_t child)
{
	int error = errno;

	while (child >= 0 && waitpid(child, NULL, __WALL) < 0 && errno == EINTR)
		continue;
	errno = error;
}

static bool write_owner_maps(int proc, pid_t process, const void *mapping)
{
	const struct id_map *map = mapping;

	return write_map(proc, process, "uid_map", map->disk_uid, map->uid) &&
	       write_map(proc, process, "gid_map", map->disk_gid, map->gid);
}

int idmap_namespace(struct idmaps *known, int proc, const struct id_map *map)
{
	static struct stack stack;
	int namespace;
	pid_t child;

	for (size_t i = 0; i < known->count; i++) {
		if (memcmp(&known->maps[i], map, sizeof(*map)) == 0)
			return known->namespaces[i];
	}
	namespace = make_namespace(proc, write_owner_maps, map, &stack, &child);
	wait_for(child);
	if (namespace >= 0 && known->count < IDMAPS_MAX) {
		known->maps[known->count] = *map;
		known->namespaces[known->count++] = namespace;
	}
	return namespace;
}

/* The mappings of PrivateUsers=, in which IDs of the service's are themselves. False with errno. */
static bool write_private_maps(int proc, pid_t process, const void *mapping)
{
	/* All are in two rows, since one row of all is what programs know the first user namespace by. */
	static const char *const rows[] = {
		[USERS_IDENTITY] = "0 0 65536\n", [USERS_FULL] = "0 0 1\n1 1 4294967294\n"
	};
	const struct plan *plan = mapping;
	enum launch_plan_private_users users = plan->private_users;

	/* Unless all groups are there, no process of the namespace changes its groups, whatever capabilities it has there. */
	if (users != USERS_FULL && !write_of_process(proc, process, "setgroups", "deny"))
		return false;
	if (users == USERS_SELF)
		return write_map(proc, process, "uid_map", plan->uid, plan->uid) &&
		       write_map(proc, process, "gid_map", plan->gid, plan->gid);
	return write_of_process(proc, process, "uid_map", rows[users]) &&
	       write_of_process(proc, process, "gid_map", rows[users]);
}

struct private_users private_users_make(const struct plan *plan)
{
	static struct stack stack;
	struct private_users made = { .namespace = -1 };

	if (plan->private_users == USERS_ALL)
		return made;
	made.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (made.proc < 0)
		fail_errno(errno, "cannot open /proc, which PrivateUsers= needs");
	/* A process that creates it for itself is in it, and no longer has the privileges outside that it takes to write the mappings. */
	made.namespace = make_namespace(made.proc, write_private_maps, plan, &stack, &made.child);
	if (made.namespace < 0)
		fail_errno(errno, "PrivateUsers=: cannot create a user namespace and map its users%s",
			   errno == EPERM ? " (this one does not have all of them)" : "");
	return made;
}

void private_users_enter(const struct private_users *users)
{
	if (users->namespace < 0)
		return;
	if (setns(users->namespace, CLONE_NEWUSER) != 0)
		fail_errno(errno, "PrivateUsers=: cannot enter the user namespace");
	if (!has_our_users(users->proc, users->namespace))
		fail(STATUS_LAUNCHER, "PrivateUsers=: the kernel did not put this process into the user namespace");
	(void)close(users->namespace);
	(void)close(users->proc);
	wait_for(users->child);
}
