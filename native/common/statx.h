/* statx(2), which C libraries have in part, or not at all. */
#ifndef DYNUSER_STATX_H
#define DYNUSER_STATX_H

#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Linux 5.8; <linux/stat.h> has it, and the library's own struct statx once more. */
#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x00002000
#endif

/* Linux 6.8: the ID of the mount, which no other mount has ever had, is behind what the library's own struct statx has names for. */
#define STATX_UNIQUE_MOUNT 0x00004000U
#define STATX_MOUNT_OFFSET 0x90U

/* musl before 1.2.5, as Debian 12 has it, knows nothing of it. */
#ifndef STATX_TYPE
#include <linux/stat.h>

static inline int statx(int directory, const char *path, int flags, unsigned int mask, struct statx *status)
{
	return (int)syscall(SYS_statx, directory, path, flags, mask, status);
}
#endif

/* Linux 5.8: the number of the mount. A library that knows nothing of it may have no name for its field. */
#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x00001000U
#endif

/* The mount in an answer to STATX_UNIQUE_MOUNT, or to STATX_MNT_ID. */
static inline uint64_t statx_mount(const struct statx *status)
{
	uint64_t id;

	memcpy(&id, (const char *)status + STATX_MOUNT_OFFSET, sizeof(id));
	return id;
}

#endif
