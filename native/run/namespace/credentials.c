/* See credentials.h. */
#include "credentials.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cli/fail.h"
#include "decrypt.h"
#include "descriptor.h"
#include "exec/open_file.h"
#include "mounts.h"
#include "protocol/base64.h"
#include "resolve.h"

/* As systemd bounds them: all names and contents together, and what is encrypted of one. */
#define ALL_BYTES_MAX (1024U * 1024U)
#define ENCRYPTED_BYTES_MAX (ALL_BYTES_MAX + 128U * 1024U)
#define NAMES_MAX 1024U
#define DEPTH_MAX 16U
#define OWN_VARIABLE "CREDENTIALS_DIRECTORY"
#define OWN_STORE "$" OWN_VARIABLE
#define PEER_BYTES 108
#define FLAGS (1U << MOUNT_NO_SUID | 1U << MOUNT_NO_DEVICES | 1U << MOUNT_NO_EXEC)

/* The form of access control lists in extended attributes (linux/posix_acl_xattr.h, which not all kernels' headers have). */
#define ACL_ATTRIBUTE "system.posix_acl_access"
#define ACL_VERSION 2U
#define ACL_NO_ID 0xFFFFFFFFU
enum { ACL_OWNER = 0x01, ACL_USER = 0x02, ACL_GROUP = 0x04, ACL_MASK = 0x10, ACL_OTHERS = 0x20 };
struct acl_entry {
	uint16_t tag, rights;
	uint32_t id;
};
struct acl {
	uint32_t version;
	struct acl_entry entries[5];
};

struct store {
	const struct plan *plan;
	/* the file system, attached nowhere */
	int mount;
	size_t bytes, names;
	unsigned char *buffer;
};

static int make_file_system(void)
{
	char size[] = "size=1m", inodes[] = "nr_inodes=1k", no_swap[] = "noswap";
	char *items[] = { size, inodes, no_swap };
	const struct strings options = { .items = items, .count = sizeof(items) / sizeof(items[0]) };
	int mount = mount_new("tmpfs", &options, "mode=0700", FLAGS);

	/* A kernel before Linux 6.4 has no "noswap": there it is a ramfs, whose size is limited by the bound on all bytes. */
	if (mount < 0 && errno == EINVAL)
		mount = mount_new("ramfs", NULL, "mode=0700", FLAGS);
	if (mount < 0)
		fail_errno(errno, "cannot create a file system for credentials");
	return mount;
}

/* Gives the user rights (4: read, 1: enter), as root has them; as the owner if the file system has no lists. */
static void give_to_user(const struct store *store, int file, unsigned int rights, const char *name)
{
	const uint16_t granted = (uint16_t)rights;
	const struct acl acl = { ACL_VERSION,
				 { { ACL_OWNER, granted, ACL_NO_ID },
				   { ACL_USER, granted, store->plan->uid },
				   { ACL_GROUP, 0, ACL_NO_ID },
				   { ACL_MASK, granted, ACL_NO_ID },
				   { ACL_OTHERS, 0, ACL_NO_ID } } };

	if (store->plan->uid == 0 || fsetxattr(file, ACL_ATTRIBUTE, &acl, sizeof(acl), 0) == 0)
		return;
	/* It is read-only in the end, so that an owner can change nothing either. */
	if (errno != EOPNOTSUPP || fchown(file, store->plan->uid, store->plan->gid) != 0)
		fail_errno(errno, "cannot give the user the credential %s", name);
}

static bool has(const struct store *store, const char *name)
{
	return faccessat(store->mount, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void fill(int file, const unsigned char *bytes, size_t count, const char *name)
{
	if (!write_all(file, bytes, count))
		fail_errno(errno, "cannot write the credential %s", name);
}

static void put(struct store *store, const char *name, const unsigned char *bytes, size_t count)
{
	int file;

	if (has(store, name))
		return;
	store->bytes += strlen(name) + count;
	if (store->bytes > ALL_BYTES_MAX)
		fail(STATUS_LAUNCHER, "the credentials have more than %u bytes, up to %s", ALL_BYTES_MAX, name);
	file = openat(store->mount, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (file < 0)
		fail_errno(errno, "cannot create the credential %s", name);
	fill(file, bytes, count, name);
	if (fchmod(file, 0400) != 0)
		fail_errno(errno, "cannot protect the credential %s", name);
	give_to_user(store, file, 4, name);
	(void)close(file);
}

/* Decrypts what is in the buffer in place. False: it cannot be decrypted, which was reported, and the launch continues without it. */
static bool decrypt_buffer(struct store *store, const char *name, size_t *count, bool optional)
{
	int file = memfd_create("credential", MFD_CLOEXEC);
	bool missing = false;
	ssize_t plain;

	if (file < 0)
		fail_errno(errno, "cannot decrypt the credential %s", name);
	fill(file, store->buffer, *count, name);
	plain = decrypt(name, file, store->buffer, ENCRYPTED_BYTES_MAX, &missing);
	(void)close(file);
	if (plain < 0 && !optional)
		fail(STATUS_LAUNCHER, "the credential %s cannot be decrypted%s", name,
		     missing ?
			     ": that takes systemd-creds, which is not installed; install it, or use a credential that is not encrypted" :
			     "");
	if (plain < 0)
		say("the credential %s cannot be decrypted, and is left out", name);
	*count = plain < 0 ? 0 : (size_t)plain;
	return plain >= 0;
}

/* Reads an open file to its end into the buffer. */
static size_t read_source(const struct store *store, int file, const char *path, bool encrypted)
{
	size_t most = encrypted ? ENCRYPTED_BYTES_MAX : ALL_BYTES_MAX;
	ssize_t count = read_all(file, store->buffer, most + 1);

	if (count < 0)
		fail_errno(errno, "cannot read the credential %s", path);
	if ((size_t)count > most)
		fail(STATUS_LAUNCHER, "the credential %s is longer than %zu bytes", path, most);
	return (size_t)count;
}

static void load_open(struct store *store, const struct credential *credential, const char *name, int file,
		      const char *path)
{
	size_t count = read_source(store, file, path, credential->encrypted);

	if (!credential->encrypted || decrypt_buffer(store, name, &count, credential->kind == CREDENTIAL_IMPORT))
		put(store, name, store->buffer, count);
}

static void count_name(struct store *store, const char *path)
{
	if (++store->names > NAMES_MAX)
		fail(STATUS_LAUNCHER, "there are more than %u files of credentials, up to %s", NAMES_MAX, path);
}

/* The names in a directory that do not begin with a dot, in the order of their bytes. */
static struct strings list_directory(struct store *store, int directory, const char *path)
{
	int own = fcntl(directory, F_DUPFD_CLOEXEC, 0);
	DIR *stream = own < 0 ? NULL : fdopendir(own);
	struct strings names = { 0 };
	const struct dirent *entry;

	if (stream == NULL)
		fail_errno(errno, "cannot list the credentials in %s", path);
	while ((errno = 0, entry = readdir(stream)) != NULL) {
		char *name = entry->d_name[0] == '.' ? NULL : strdup(entry->d_name);

		if (entry->d_name[0] == '.')
			continue;
		count_name(store, path);
		if (name == NULL || !strings_add(&names, name))
			fail(STATUS_LAUNCHER, "out of memory");
	}
	if (errno != 0)
		fail_errno(errno, "cannot list the credentials in %s", path);
	(void)closedir(stream);
	strings_sort(&names);
	return names;
}

static void load_directory(struct store *store, const struct credential *credential, const char *prefix, int directory,
			   unsigned int depth)
{
	struct strings names;

	if (depth > DEPTH_MAX)
		fail_errno(ELOOP, "cannot list the credentials in %s", credential->path);
	names = list_directory(store, directory, credential->path);
	for (size_t i = 0; i < names.count; i++) {
		int file = openat(directory, names.items[i], O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
		char name[NAME_MAX + 1];
		struct stat status;

		/* A symlink, a socket, or gone by now. */
		if (file < 0 && (errno == ELOOP || errno == ENXIO || errno == ENOENT))
			continue;
		if (file < 0 || fstat(file, &status) != 0)
			fail_errno(errno, "cannot read the credential %s in %s", names.items[i], credential->path);
		if ((size_t)snprintf(name, sizeof(name), "%s_%s", prefix, names.items[i]) >= sizeof(name))
			fail(STATUS_LAUNCHER, "the name of the credential %s in %s is too long", names.items[i],
			     credential->path);
		if (S_ISDIR(status.st_mode)) {
			load_directory(store, credential, name, file, depth + 1);
			continue;
		}
		if (S_ISREG(status.st_mode) && !has(store, name))
			load_open(store, credential, name, file, credential->path);
		(void)close(file);
	}
	strings_free(&names);
	(void)close(directory);
}

/* The name by which a server that hands out credentials is asked for this one (systemd.exec(5), LoadCredential=). */
static const char *peer_name(const struct store *store, const char *name, char *text)
{
	const char *unit = store->plan->unit;
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
		fail_errno(errno, "cannot get a random number");
	if (snprintf(text, PEER_BYTES, "%llx/unit/%s/%s", (unsigned long long)number, unit == NULL ? "" : unit, name) >=
	    PEER_BYTES)
		return NULL;
	return text;
}

static int open_source(const struct store *store, const struct credential *credential)
{
	char peer[PEER_BYTES];
	int file = open_file_of("LoadCredential", credential->path, O_RDONLY | O_NONBLOCK, 0,
				peer_name(store, credential->name, peer));

	if (file >= 0 || (errno == ENOENT && credential->optional))
		return file;
	fail_errno(errno, "LoadCredential=: cannot read %s", credential->path);
}

static void load(struct store *store, const struct credential *credential)
{
	int file = open_source(store, credential);
	struct stat status;

	if (file < 0)
		return;
	if (fstat(file, &status) != 0)
		fail_errno(errno, "cannot stat %s", credential->path);
	if (S_ISDIR(status.st_mode)) {
		load_directory(store, credential, credential->name, file, 0);
		return;
	}
	if (S_ISFIFO(status.st_mode))
		fail(STATUS_LAUNCHER, "LoadCredential=: %s is a pipe; use a file, a directory or a socket",
		     credential->path);
	if (S_ISSOCK(status.st_mode) && !socket_bound_reading(file))
		fail_errno(errno, "cannot bound the wait for %s", credential->path);
	count_name(store, credential->path);
	load_open(store, credential, credential->name, file, credential->path);
	(void)close(file);
}

static int open_store(const char *path)
{
	const char *link, *own = strcmp(path, OWN_STORE) == 0 ? getenv(OWN_VARIABLE) : path;

	return own == NULL || own[0] != '/' ? -1 : open_file(own, O_RDONLY | O_DIRECTORY, 0, NULL, &link);
}

static bool is_encrypted_store(const char *path)
{
	return strstr(path, "encrypted") != NULL;
}

/* Opens the file of that name in a store; -1: it has none. */
static int open_stored(const char *store, int directory, const char *name)
{
	int file = openat(directory, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat status;

	if (file < 0 && errno != ENOENT && errno != ENXIO)
		fail_errno(errno, "cannot read the credential %s in %s", name, store);
	if (file >= 0 && fstat(file, &status) == 0 && S_ISREG(status.st_mode))
		return file;
	close_quietly(file);
	return -1;
}

static void load_stored(struct store *store, const struct credential *credential)
{
	for (size_t i = 0; i < credential->stores.count; i++) {
		const char *path = credential->stores.items[i];
		int directory = open_store(path);
		int file = directory < 0 ? -1 : open_stored(path, directory, credential->name);

		close_quietly(directory);
		if (file < 0)
			continue;
		count_name(store, path);
		load_open(store, credential, credential->as == NULL ? credential->name : credential->as, file, path);
		(void)close(file);
		return;
	}
}

/* Whether a file of a store is meant, and under which name it is to be known. */
static bool rename_to(const struct credential *credential, const char *file, char *name, size_t size)
{
	size_t length = strlen(credential->name);

	if (strncmp(file, credential->name, length) != 0 || (!credential->prefix && file[length] != '\0'))
		return false;
	if (credential->as == NULL)
		return (size_t)snprintf(name, size, "%s", file) < size;
	return (size_t)snprintf(name, size, "%s%s", credential->as, file + length) < size;
}

static void import_from(struct store *store, const struct credential *credential, const char *path, int directory)
{
	struct credential of_store = *credential;
	struct strings names = list_directory(store, directory, path);

	of_store.encrypted = is_encrypted_store(path);
	for (size_t i = 0; i < names.count; i++) {
		char name[NAME_MAX + 1];
		int file;

		if (!rename_to(credential, names.items[i], name, sizeof(name)) || name[0] == '\0' || has(store, name))
			continue;
		file = open_stored(path, directory, names.items[i]);
		if (file < 0)
			continue;
		load_open(store, &of_store, name, file, path);
		(void)close(file);
	}
	strings_free(&names);
	(void)close(directory);
}

static void import(struct store *store, const struct credential *credential)
{
	for (size_t i = 0; i < credential->stores.count; i++) {
		int directory = open_store(credential->stores.items[i]);

		if (directory >= 0)
			import_from(store, credential, credential->stores.items[i], directory);
	}
}

static void set(struct store *store, const struct credential *credential)
{
	size_t count;

	if (has(store, credential->name))
		return;
	if (BASE64_BYTES(strlen(credential->data)) > ENCRYPTED_BYTES_MAX)
		fail(STATUS_LAUNCHER, "the credential %s is longer than %u bytes", credential->name, ALL_BYTES_MAX);
	count = base64_read(credential->data, store->buffer);
	if (count == SIZE_MAX)
		fail(STATUS_LAUNCHER, "the credential %s of the daemon's plan is not base64", credential->name);
	if (!credential->encrypted || decrypt_buffer(store, credential->name, &count, false))
		put(store, credential->name, store->buffer, count);
}

int credentials_make(const struct plan *plan)
{
	struct store store = { .plan = plan, .mount = make_file_system(), .buffer = malloc(ENCRYPTED_BYTES_MAX + 1) };
	int root;

	if (store.buffer == NULL)
		fail(STATUS_LAUNCHER, "out of memory");
	for (size_t i = 0; i < plan->credentials_count; i++) {
		const struct credential *credential = &plan->credentials[i];

		switch (credential->kind) {
		case CREDENTIAL_LOAD:
			load(&store, credential);
			break;
		case CREDENTIAL_STORED:
			load_stored(&store, credential);
			break;
		case CREDENTIAL_IMPORT:
			import(&store, credential);
			break;
		case CREDENTIAL_SET:
			set(&store, credential);
			break;
		}
	}
	root = openat(store.mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || fchmod(root, 0500) != 0)
		fail_errno(errno, "cannot protect the credentials");
	give_to_user(&store, root, 5, "as a whole");
	(void)close(root);
	if (mount_seal(store.mount) != 0)
		fail_errno(errno, "cannot make the credentials read-only");
	explicit_bzero(store.buffer, ENCRYPTED_BYTES_MAX + 1);
	free(store.buffer);
	return store.mount;
}
