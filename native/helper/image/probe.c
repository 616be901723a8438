/* See probe.h. */
#include "probe.h"

#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "descriptor.h"

/* Loaded when there is an image: nothing else here needs it, and a host without images may be without it. */
#define LIBRARY "libblkid.so.1"
#define SECTOR UINT64_C(512)
/* What the child may take: memory, processor time and time, in bytes and seconds. */
#define CHILD_MEMORY_MAX (UINT64_C(256) * 1024 * 1024)
#define CHILD_SECONDS 10U
#define OUTPUT_MAX (PASSING_BYTES_MAX - 64U)
/* A line without its name, and a name of a GPT: 36 characters of UTF-16. */
#define LINE_MAX_BYTES 512U
#define NAME_BYTES 128U
/* Whom the kernel shows for users that it cannot show. */
#define NOBODY 65534

/* Of blkid.h, which is not needed to build this. */
#define SUPERBLOCKS_TYPE (1 << 5)
#define SUPERBLOCKS_USAGE (1 << 7)
#define PARTITIONS_ENTRY_DETAILS (1 << 2)

struct blkid_struct_probe;
struct blkid_struct_partlist;
struct blkid_struct_partition;

/* Each is of the library; the names are its own, without "blkid_". */
static struct {
	struct blkid_struct_probe *(*new_probe)(void);
	int (*probe_set_device)(struct blkid_struct_probe *, int, int64_t, int64_t);
	int (*probe_enable_superblocks)(struct blkid_struct_probe *, int);
	int (*probe_set_superblocks_flags)(struct blkid_struct_probe *, int);
	int (*probe_enable_partitions)(struct blkid_struct_probe *, int);
	int (*probe_set_partitions_flags)(struct blkid_struct_probe *, int);
	int (*do_safeprobe)(struct blkid_struct_probe *);
	int (*probe_lookup_value)(struct blkid_struct_probe *, const char *, const char **, size_t *);
	struct blkid_struct_partlist *(*probe_get_partitions)(struct blkid_struct_probe *);
	int (*partlist_numof_partitions)(struct blkid_struct_partlist *);
	struct blkid_struct_partition *(*partlist_get_partition)(struct blkid_struct_partlist *, int);
	int (*partition_get_partno)(struct blkid_struct_partition *);
	int64_t (*partition_get_start)(struct blkid_struct_partition *);
	int64_t (*partition_get_size)(struct blkid_struct_partition *);
	int (*partition_get_type)(struct blkid_struct_partition *);
	const char *(*partition_get_type_string)(struct blkid_struct_partition *);
	const char *(*partition_get_name)(struct blkid_struct_partition *);
	unsigned long long (*partition_get_flags)(struct blkid_struct_partition *);
} blkid;

static bool find(void *library, const char *name, void *place)
{
	/* POSIX: the address of a function fits (dlsym(3)). */
	void *found = dlsym(library, name);

	memcpy(place, &found, sizeof(found));
	return found != NULL;
}

/* Loads the library, unless that is done. False: there is none. */
static bool load(void)
{
	static bool loaded;
	void *library;

	if (loaded)
		return true;
	library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
#define FIND(name) find(library, "blkid_" #name, &blkid.name)
	loaded = library != NULL && FIND(new_probe) && FIND(probe_set_device) && FIND(probe_enable_superblocks) &&
		 FIND(probe_set_superblocks_flags) && FIND(probe_enable_partitions) &&
		 FIND(probe_set_partitions_flags) && FIND(do_safeprobe) && FIND(probe_lookup_value) &&
		 FIND(probe_get_partitions) && FIND(partlist_numof_partitions) && FIND(partlist_get_partition) &&
		 FIND(partition_get_partno) && FIND(partition_get_start) && FIND(partition_get_size) &&
		 FIND(partition_get_type) && FIND(partition_get_type_string) && FIND(partition_get_name) &&
		 FIND(partition_get_flags);
#undef FIND
	return loaded;
}

/* --- In the child ------------------------------------------------------------------------------------------------- */

/* The type of a resource has no name that all libraries share. */
#define LIMIT(resource, most) (setrlimit(resource, &(const struct rlimit){ .rlim_cur = most, .rlim_max = most }) == 0)

/* From here on it may compute, and use the two descriptors that it has. */
static bool give_up_rights(void)
{
	/* A change of the UID undoes what ends this process with its parent. */
	return prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) == 0 && LIMIT(RLIMIT_AS, CHILD_MEMORY_MAX) &&
	       LIMIT(RLIMIT_CPU, CHILD_SECONDS) && LIMIT(RLIMIT_FSIZE, 0) && LIMIT(RLIMIT_CORE, 0) &&
	       LIMIT(RLIMIT_NOFILE, 0) && LIMIT(RLIMIT_NPROC, 0) && setgroups(0, NULL) == 0 &&
	       setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0 &&
	       prctl(PR_SET_DUMPABLE, 0) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
}

static _Noreturn void end_child(int output, const char *error)
{
	dprintf(output, "!%s", error);
	_exit(EXIT_FAILURE);
}

/* What is in a part of the file: a file system's name, or "-". With tables, the table of partitions is read, too. */
static struct blkid_struct_probe *probe(int output, int file, uint64_t offset, uint64_t size, bool tables,
					const char **type)
{
	struct blkid_struct_probe *probe = blkid.new_probe();
	int found;

	if (probe == NULL || blkid.probe_set_device(probe, file, (int64_t)offset, (int64_t)size) != 0 ||
	    blkid.probe_enable_superblocks(probe, 1) != 0 ||
	    blkid.probe_set_superblocks_flags(probe, SUPERBLOCKS_TYPE | SUPERBLOCKS_USAGE) != 0 ||
	    blkid.probe_enable_partitions(probe, tables) != 0 ||
	    (tables && blkid.probe_set_partitions_flags(probe, PARTITIONS_ENTRY_DETAILS) != 0))
		end_child(output, "it cannot be read");
	found = blkid.do_safeprobe(probe);
	/* The library gives one number for both, or two, by its version. */
	if (found < 0)
		end_child(output,
			  "it has the marks of several file systems, or cannot be read: its type is not certain");
	*type = "-";
	if (found == 0)
		(void)blkid.probe_lookup_value(probe, "TYPE", type, NULL);
	return probe;
}

static void print_partition(int output, int file, uint64_t size, struct blkid_struct_partition *partition)
{
	int64_t start = blkid.partition_get_start(partition), sectors = blkid.partition_get_size(partition);
	const char *uuid = blkid.partition_get_type_string(partition), *name = blkid.partition_get_name(partition);
	char kind[64], shown[NAME_BYTES], line[LINE_MAX_BYTES];
	const char *type;
	size_t length = 0;

	/* A table that says otherwise is one of another image, or a trap. */
	if (start < 0 || sectors <= 0 || (uint64_t)start > size / SECTOR ||
	    (uint64_t)sectors > size / SECTOR - (uint64_t)start)
		end_child(output, "its table has a partition that is not within the image");
	if (uuid != NULL)
		(void)snprintf(kind, sizeof(kind), "%.36s", uuid);
	else
		(void)snprintf(kind, sizeof(kind), "mbr:%02x",
			       (unsigned int)blkid.partition_get_type(partition) & 0xffU);
	for (; name != NULL && name[length] != '\0' && length + 1 < sizeof(shown); length++)
		shown[length] = isascii(name[length]) && isprint(name[length]) ? name[length] : '_';
	shown[length] = '\0';
	(void)probe(output, file, (uint64_t)start * SECTOR, (uint64_t)sectors * SECTOR, false, &type);
	(void)snprintf(line, sizeof(line), "%d %s %llx %" PRIu64 " %" PRIu64 " %.32s %s",
		       blkid.partition_get_partno(partition), kind, blkid.partition_get_flags(partition),
		       (uint64_t)start * SECTOR, (uint64_t)sectors * SECTOR, type, shown);
	if (write(output, line, strlen(line) + 1) < 0)
		_exit(EXIT_FAILURE);
}

static _Noreturn void be_child(int file, int output, uint64_t size)
{
	struct blkid_struct_probe *whole;
	struct blkid_struct_partlist *list;
	const char *type;
	int count;

	if (!give_up_rights())
		end_child(output, "it cannot be looked at without rights");
	(void)alarm(CHILD_SECONDS);
	whole = probe(output, file, 0, 0, true, &type);
	(void)dprintf(output, "0 - 0 0 %" PRIu64 " %.32s", size, type);
	if (write(output, "", 1) != 1)
		_exit(EXIT_FAILURE);
	list = blkid.probe_get_partitions(whole);
	count = list == NULL ? 0 : blkid.partlist_numof_partitions(list);
	if (count > PARTITIONS_MAX)
		end_child(output, "it has too many partitions");
	for (int i = 0; i < count; i++) {
		struct blkid_struct_partition *partition = blkid.partlist_get_partition(list, i);

		if (partition != NULL)
			print_partition(output, file, size, partition);
	}
	_exit(EXIT_SUCCESS);
}

/* --- In the parent ------------------------------------------------------------------------------------------------ */

static bool add_lines(const char *text, size_t length, struct passing *message, char error[IMAGE_ERROR_MAX])
{
	for (size_t at = 0; at < length; at += strlen(text + at) + 1) {
		if (text[at] == '!') {
			(void)snprintf(error, IMAGE_ERROR_MAX, "%s", text + at + 1);
			return false;
		}
		if (!passing_add(message, text + at)) {
			(void)snprintf(error, IMAGE_ERROR_MAX, "it has too many partitions");
			return false;
		}
	}
	return true;
}

bool probe_image(int file, struct passing *message, char error[IMAGE_ERROR_MAX])
{
	char text[OUTPUT_MAX + 1] = "";
	int ends[2], status = -1;
	ssize_t length;

	if (!load()) {
		(void)snprintf(error, IMAGE_ERROR_MAX,
			       "what is in it cannot be told without libblkid; install %s (Debian: libblkid1)",
			       LIBRARY);
		return false;
	}
	off_t size = lseek(file, 0, SEEK_END);

	if (size < 0 || pipe2(ends, O_CLOEXEC) != 0) {
		(void)snprintf(error, IMAGE_ERROR_MAX, "it cannot be read: %s", strerror(errno));
		return false;
	}
	pid_t child = fork();

	if (child == 0)
		be_child(file, ends[1], (uint64_t)size);
	(void)close(ends[1]);
	length = child < 0 ? 0 : read_all(ends[0], text, OUTPUT_MAX);
	(void)close(ends[0]);
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	if (!add_lines(text, length < 0 ? 0 : (size_t)length, message, error))
		return false;
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS)
		return true;
	(void)snprintf(error, IMAGE_ERROR_MAX, "the process that looked at it was ended before it was done");
	return false;
}
