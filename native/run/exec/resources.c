/* See resources.h. */
#include "resources.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/fail.h"
#include "kernel_file.h"

/* linux/prctl.h, since Linux 6.4. */
#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67
#endif
#define IO_LEVEL_DEFAULT 4
#define NICE_BASE 20
#define WORD_BITS (CHAR_BIT * sizeof(unsigned long))

/* What setrlimit() takes: an enumeration with glibc, an int with musl. */
#ifdef __GLIBC__
typedef __rlimit_resource_t resource_kind;
#else
typedef int resource_kind;
#endif

#define RESOURCE(name) { RLIMIT_##name, "Limit" #name "=" }

/* In the order of their enumerations. */
static const struct {
	resource_kind kind;
	const char *property;
} resources[] = {
	RESOURCE(CPU),	    RESOURCE(FSIZE), RESOURCE(DATA),   RESOURCE(STACK),	  RESOURCE(CORE),  RESOURCE(RSS),
	RESOURCE(NOFILE),   RESOURCE(AS),    RESOURCE(NPROC),  RESOURCE(MEMLOCK), RESOURCE(LOCKS), RESOURCE(SIGPENDING),
	RESOURCE(MSGQUEUE), RESOURCE(NICE),  RESOURCE(RTPRIO), RESOURCE(RTTIME),
};
static const int policies[] = { SCHED_OTHER, SCHED_OTHER, SCHED_BATCH, SCHED_IDLE, SCHED_FIFO, SCHED_RR };
static const int io_classes[] = { IOPRIO_CLASS_BE, IOPRIO_CLASS_RT, IOPRIO_CLASS_BE, IOPRIO_CLASS_IDLE };
static const int numa_modes[] = { MPOL_DEFAULT, MPOL_DEFAULT, MPOL_PREFERRED, MPOL_BIND, MPOL_INTERLEAVE, MPOL_LOCAL };

/* A container may forbid lowering it; systemd starts such a service nevertheless. */
static void adjust_oom_score(const char *text)
{
	if (kernel_file_write(AT_FDCWD, "/proc/self/oom_score_adj", text))
		return;
	if (errno != EACCES && errno != EPERM)
		fail_errno(errno, "cannot set the OOM score adjustment to %s", text);
	say("OOMScoreAdjust=%s is not applied: %s", text, fail_words(errno));
}

static void filter_coredump(uint64_t mask)
{
	char text[sizeof("0x0123456789abcdef")];

	(void)snprintf(text, sizeof(text), "0x%llx", (unsigned long long)mask);
	/* A kernel without core dumps has no such file, and nothing to filter. */
	if (!kernel_file_write(AT_FDCWD, "/proc/self/coredump_filter", text) && errno != ENOENT)
		fail_errno(errno, "cannot set the filter of core dumps");
}

static void schedule_cpu(const struct plan *plan)
{
	int policy = policies[plan->cpu_policy], least = sched_get_priority_min(policy),
	    most = sched_get_priority_max(policy);
	struct sched_param parameters = { .sched_priority = plan->has_cpu_priority ? (int)plan->cpu_priority : 0 };

	/* As with systemd, the other properties mean nothing without it. */
	if (plan->cpu_policy == CPU_NONE)
		return;
	if (parameters.sched_priority < least)
		parameters.sched_priority = least;
	if (parameters.sched_priority > most)
		parameters.sched_priority = most;
	/* musl's sched_setscheduler(3) only fails: its threads are not the kernel's. */
	if (syscall(SYS_sched_setscheduler, 0, policy | (plan->cpu_reset_on_fork ? SCHED_RESET_ON_FORK : 0),
		    &parameters) != 0)
		fail_errno(errno, "cannot set the CPU scheduling policy");
	/* systemd's call has a nice value in it, which is 0. A launcher that may not lower it keeps that of the supervisor. */
	if (most == 0 && !plan->has_priority && setpriority(PRIO_PROCESS, 0, 0) != 0 && errno != EACCES &&
	    errno != EPERM)
		fail_errno(errno, "cannot set the nice value to 0");
}

static void set_bits(unsigned long *mask, const uint32_t *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		mask[numbers[i] / WORD_BITS] |= 1UL << numbers[i] % WORD_BITS;
}

static void pin_to_cpus(const struct plan *plan)
{
	static unsigned long mask[CPUS_MAX / WORD_BITS];

	set_bits(mask, plan->cpu_affinity, plan->cpu_affinity_count);
	if (plan->cpu_affinity_count > 0 && syscall(SYS_sched_setaffinity, 0, sizeof(mask), mask) < 0)
		fail_errno(errno, "cannot use only the processors of CPUAffinity=%s",
			   errno == EINVAL ? " (is one of them there?)" : "");
}

static void place_memory(const struct plan *plan)
{
	static unsigned long mask[NUMA_NODES_MAX / WORD_BITS];
	unsigned long most = plan->numa_nodes_count == 0 ? 0 : NUMA_NODES_MAX + 1UL;

	if (plan->numa_policy == NUMA_NONE)
		return;
	set_bits(mask, plan->numa_nodes, plan->numa_nodes_count);
	if (syscall(SYS_set_mempolicy, numa_modes[plan->numa_policy], most == 0 ? NULL : mask, most) == 0)
		return;
	if (errno != ENOSYS)
		fail_errno(errno, "cannot set the NUMA policy%s",
			   errno == EINVAL ? " (are the nodes of NUMAMask= there?)" : "");
	say("NUMAPolicy= is not applied: the kernel has no NUMA");
}

static void schedule_io(const struct plan *plan)
{
	int class = io_classes[plan->io_class], level = plan->has_io_level ? (int)plan->io_level : IO_LEVEL_DEFAULT;

	if (plan->io_class == IO_ABSENT && !plan->has_io_level)
		return;
	if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(class, level)) != 0)
		fail_errno(errno, "cannot set the I/O scheduling class and priority");
}

static void pretend(enum launch_plan_personality machine)
{
#if defined(__x86_64__)
	const enum launch_plan_personality own = PERSONALITY_X86_64, half = PERSONALITY_X86;
#elif defined(__aarch64__)
	const enum launch_plan_personality own = PERSONALITY_ARM64, half = PERSONALITY_ARM;
#else
	const enum launch_plan_personality own = PERSONALITY_NONE, half = PERSONALITY_NONE;
#endif

	if (machine != own && machine != half)
		fail(STATUS_LAUNCHER, "Personality= is of another machine than this one");
	if (personality(machine == own ? PER_LINUX : PER_LINUX32) < 0)
		fail_errno(errno, "cannot set the personality");
}

void resources_schedule(const struct plan *plan)
{
	if (plan->oom_score_adjust != NULL)
		adjust_oom_score(plan->oom_score_adjust);
	if (plan->has_coredump_filter)
		filter_coredump(plan->coredump_filter);
	schedule_cpu(plan);
	if (plan->has_priority && setpriority(PRIO_PROCESS, 0, NICE_BASE - (int)plan->priority) != 0)
		fail_errno(errno, "cannot set the nice value to %d", NICE_BASE - (int)plan->priority);
	pin_to_cpus(plan);
	place_memory(plan);
	schedule_io(plan);
	if (plan->has_timer_slack && prctl(PR_SET_TIMERSLACK, plan->timer_slack, 0, 0, 0) != 0)
		fail_errno(errno, "cannot set the timer slack");
	if (plan->personality != PERSONALITY_NONE)
		pretend(plan->personality);
	/* A kernel without it merges nothing. */
	if (plan->memory_merge != MERGE_NONE &&
	    prctl(PR_SET_MEMORY_MERGE, plan->memory_merge == MERGE_ON, 0, 0, 0) != 0 && errno != EINVAL)
		fail_errno(errno, "cannot have equal pages of memory merged");
}

/* Without CAP_SYS_RESOURCE a hard limit can only fall: as with systemd, the nearest one that is allowed holds. */
static void limit(const struct resource_limit *wanted)
{
	struct rlimit present, nearest = { .rlim_cur = wanted->soft, .rlim_max = wanted->hard };
	resource_kind kind = resources[wanted->resource].kind;
	const char *property = resources[wanted->resource].property;

	if (setrlimit(kind, &nearest) == 0)
		return;
	if (errno != EPERM || getrlimit(kind, &present) != 0)
		fail_errno(errno, "cannot set %s", property);
	if (nearest.rlim_max > present.rlim_max)
		nearest.rlim_max = present.rlim_max;
	if (nearest.rlim_cur > nearest.rlim_max)
		nearest.rlim_cur = nearest.rlim_max;
	if (setrlimit(kind, &nearest) != 0)
		fail_errno(errno, "cannot set %s", property);
	say("%s is higher than this process may have; it is %llu:%llu", property, (unsigned long long)nearest.rlim_cur,
	    (unsigned long long)nearest.rlim_max);
}

void resources_limit(const struct plan *plan)
{
	for (size_t i = 0; i < plan->limits_count; i++)
		limit(&plan->limits[i]);
}
