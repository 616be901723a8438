/* capset(2) and prctl(2); see capabilities.h. */
#include "capabilities.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/fail.h"

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
	if (after.effective != sets.effective || after.permitted != sets.permitted || after.inheritable != sets.inheritable)
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

static uint64_t ambient_set(void)
{
	uint64_t set = 0;

	for (unsigned int i = 0; i < CAPABILITIES_MAX; i++) {
		int is_set = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0);

		if (is_set < 0 && is_last(i))
			break;
		if (is_set < 0)
			fail_errno(errno, "cannot read the ambient capability set");
		set |= (uint64_t)is_set << i;
	}
	return set;
}

void capabilities_reset(void)
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

void capabilities_bound(uint64_t bounding)
{
	for (unsigned int i = 0; i < CAPABILITIES_MAX; i++) {
		int has;

		if ((bounding >> i & 1U) != 0)
			continue;
		has = prctl(PR_CAPBSET_READ, i, 0, 0, 0);
		if (has < 0 && is_last(i))
			return;
		if (has < 0)
			fail_errno(errno, "cannot read the capability bounding set");
		if (has == 0)
			continue;
		if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) != 0)
			fail_errno(errno, "cannot take capability %u from the bounding set", i);
		if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) != 0)
			fail(STATUS_LAUNCHER, "the kernel did not take capability %u from the bounding set", i);
	}
}

void capabilities_keep(void)
{
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
		fail_errno(errno, "cannot keep capabilities for the service");
}

static void raise_ambient(uint64_t ambient)
{
	for (unsigned int i = 0; i < CAPABILITIES_MAX; i++) {
		if ((ambient >> i & 1U) != 0 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) != 0)
			fail_errno(errno, "cannot give the service capability %u (is it in the bounding set, and does the launcher have it?)", i);
	}
	if (ambient_set() != ambient)
		fail(STATUS_LAUNCHER, "the kernel did not set the ambient capabilities as it was asked to");
}

void capabilities_become(uint64_t ambient)
{
	write_sets((struct sets){ .effective = ambient, .permitted = ambient, .inheritable = ambient });
	raise_ambient(ambient);
	if (ambient != 0 && prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) != 0)
		fail_errno(errno, "cannot let go of the securebits");
}

void capabilities_of_root(uint64_t bounding, uint64_t ambient)
{
	struct sets sets = read_sets();

	write_sets((struct sets){
		.effective = sets.effective & bounding,
		.permitted = sets.permitted & bounding,
		.inheritable = ambient & sets.permitted & bounding,
	});
	raise_ambient(ambient);
}
