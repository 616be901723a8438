/* Loading and calling the module; see module.h. */
#include "module.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "check.h"

/* What no call may leave in errno, and what *errnop has where it is not set. */
#define ERRNO_BEFORE 4242
#define ERRNOP_BEFORE 0

typedef enum nss_status set_function(int);
typedef enum nss_status end_function(void);

struct module {
	void *handle;
	enum nss_status (*getpwuid)(uid_t, struct passwd *, char *, size_t, int *);
	enum nss_status (*getpwnam)(const char *, struct passwd *, char *, size_t, int *);
	enum nss_status (*getgrgid)(gid_t, struct group *, char *, size_t, int *);
	enum nss_status (*getgrnam)(const char *, struct group *, char *, size_t, int *);
	enum nss_status (*getspnam)(const char *, struct spwd *, char *, size_t, int *);
	enum nss_status (*getsgnam)(const char *, struct sgrp *, char *, size_t, int *);
	enum nss_status (*getpwent)(struct passwd *, char *, size_t, int *);
	enum nss_status (*getgrent)(struct group *, char *, size_t, int *);
	enum nss_status (*getspent)(struct spwd *, char *, size_t, int *);
	enum nss_status (*getsgent)(struct sgrp *, char *, size_t, int *);
	set_function *set[4];
	end_function *end[4];
	initgroups_function *initgroups;
};

/* POSIX has functions come from dlsym(3) as objects' addresses; C has no conversion for that but through memory. */
#define LOAD(module, member, symbol) \
	do { \
		void *address = dlsym((module)->handle, "_nss_dynuser_" symbol); \
		CHECK(address != NULL, "%s", dlerror()); \
		memcpy(&(module)->member, &address, sizeof(address)); \
	} while (0)

struct module *module_load(const char *path)
{
	struct module *module = calloc(1, sizeof(*module));

	CHECK(module != NULL, "no memory");
	module->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	CHECK(module->handle != NULL, "%s", dlerror());
	LOAD(module, getpwuid, "getpwuid_r");
	LOAD(module, getpwnam, "getpwnam_r");
	LOAD(module, getgrgid, "getgrgid_r");
	LOAD(module, getgrnam, "getgrnam_r");
	LOAD(module, getspnam, "getspnam_r");
	LOAD(module, getsgnam, "getsgnam_r");
	LOAD(module, getpwent, "getpwent_r");
	LOAD(module, getgrent, "getgrent_r");
	LOAD(module, getspent, "getspent_r");
	LOAD(module, getsgent, "getsgent_r");
	LOAD(module, set[0], "setpwent");
	LOAD(module, set[1], "setgrent");
	LOAD(module, set[2], "setspent");
	LOAD(module, set[3], "setsgent");
	LOAD(module, end[0], "endpwent");
	LOAD(module, end[1], "endgrent");
	LOAD(module, end[2], "endspent");
	LOAD(module, end[3], "endsgent");
	LOAD(module, initgroups, "initgroups_dyn");
	return module;
}

void module_unload(struct module *module)
{
	CHECK(dlclose(module->handle) == 0, "%s", dlerror());
	free(module);
}

static enum nss_status call(const struct module *module, enum query query, const struct identity *who,
			    union record *record, char *buffer, size_t size, int *errnop)
{
	switch (query) {
	case PASSWD_BY_UID:
		return module->getpwuid(who->uid, &record->passwd, buffer, size, errnop);
	case PASSWD_BY_NAME:
		return module->getpwnam(who->name, &record->passwd, buffer, size, errnop);
	case GROUP_BY_GID:
		return module->getgrgid(who->uid, &record->group, buffer, size, errnop);
	case GROUP_BY_NAME:
		return module->getgrnam(who->name, &record->group, buffer, size, errnop);
	case SHADOW_BY_NAME:
		return module->getspnam(who->name, &record->shadow, buffer, size, errnop);
	case GSHADOW_BY_NAME:
		return module->getsgnam(who->name, &record->gshadow, buffer, size, errnop);
	case PASSWD_NEXT:
		return module->getpwent(&record->passwd, buffer, size, errnop);
	case GROUP_NEXT:
		return module->getgrent(&record->group, buffer, size, errnop);
	case SHADOW_NEXT:
		return module->getspent(&record->shadow, buffer, size, errnop);
	default:
		return module->getsgent(&record->gshadow, buffer, size, errnop);
	}
}

struct outcome module_ask(const struct module *module, enum query query, const struct identity *who,
			  union record *record, char *buffer, size_t size)
{
	struct outcome outcome = { .error_number = ERRNOP_BEFORE };
	int errno_after;

	errno = ERRNO_BEFORE;
	outcome.status = call(module, query, who, record, buffer, size, &outcome.error_number);
	errno_after = errno;
	CHECK(errno_after == ERRNO_BEFORE, "query %d changed errno to %d", query, errno_after);
	return outcome;
}

static size_t database_of(enum query query)
{
	return query >= PASSWD_NEXT ? query - PASSWD_NEXT : query < SHADOW_BY_NAME ? query / 2U : query - 2U;
}

void module_set(const struct module *module, enum query query)
{
	int errno_after;

	errno = ERRNO_BEFORE;
	CHECK(module->set[database_of(query)](0) == NSS_STATUS_SUCCESS, "set of query %d", query);
	errno_after = errno;
	CHECK(errno_after == ERRNO_BEFORE, "set of query %d changed errno to %d", query, errno_after);
}

void module_end(const struct module *module, enum query query)
{
	int errno_after;

	errno = ERRNO_BEFORE;
	CHECK(module->end[database_of(query)]() == NSS_STATUS_SUCCESS, "end of query %d", query);
	errno_after = errno;
	CHECK(errno_after == ERRNO_BEFORE, "end of query %d changed errno to %d", query, errno_after);
}

initgroups_function *module_initgroups(const struct module *module)
{
	return module->initgroups;
}
