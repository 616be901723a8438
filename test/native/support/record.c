/* What records look like and where they lie; see module.h. */
#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "module.h"

/* The database that a query is about, by the query that walks it. */
static enum query database(enum query query)
{
	switch (query) {
	case PASSWD_BY_UID:
	case PASSWD_BY_NAME:
		return PASSWD_NEXT;
	case GROUP_BY_GID:
	case GROUP_BY_NAME:
		return GROUP_NEXT;
	case SHADOW_BY_NAME:
		return SHADOW_NEXT;
	case GSHADOW_BY_NAME:
		return GSHADOW_NEXT;
	default:
		return query;
	}
}

void record_text(enum query query, const union record *record, char *text)
{
	switch (database(query)) {
	case PASSWD_NEXT:
		(void)snprintf(text, TEXT_BYTES, "%s:%s:%u:%u:%s:%s:%s", record->passwd.pw_name,
			       record->passwd.pw_passwd, record->passwd.pw_uid, record->passwd.pw_gid,
			       record->passwd.pw_gecos, record->passwd.pw_dir, record->passwd.pw_shell);
		return;
	case GROUP_NEXT:
		(void)snprintf(text, TEXT_BYTES, "%s:%s:%u:%s", record->group.gr_name, record->group.gr_passwd,
			       record->group.gr_gid, record->group.gr_mem[0] == NULL ? "" : "members");
		return;
	case SHADOW_NEXT:
		(void)snprintf(text, TEXT_BYTES, "%s:%s:%ld:%ld:%ld:%ld:%ld:%ld:%lx", record->shadow.sp_namp,
			       record->shadow.sp_pwdp, record->shadow.sp_lstchg, record->shadow.sp_min,
			       record->shadow.sp_max, record->shadow.sp_warn, record->shadow.sp_inact,
			       record->shadow.sp_expire, record->shadow.sp_flag);
		return;
	default:
		(void)snprintf(text, TEXT_BYTES, "%s:%s:%s:%s", record->gshadow.sg_namp, record->gshadow.sg_passwd,
			       record->gshadow.sg_adm[0] == NULL ? "" : "administrators",
			       record->gshadow.sg_mem[0] == NULL ? "" : "members");
		return;
	}
}

void expected_text(enum query query, const struct identity *who, char *text)
{
	switch (database(query)) {
	case PASSWD_NEXT:
		(void)snprintf(text, TEXT_BYTES, "%s:x:%u:%u:Dynamic User:/:/usr/sbin/nologin", who->name, who->uid,
			       who->uid);
		return;
	case GROUP_NEXT:
		(void)snprintf(text, TEXT_BYTES, "%s:x:%u:", who->name, who->uid);
		return;
	case SHADOW_NEXT:
		(void)snprintf(text, TEXT_BYTES, "%s:!*:-1:-1:-1:-1:-1:1:%lx", who->name, ~0UL);
		return;
	default:
		(void)snprintf(text, TEXT_BYTES, "%s:!*::", who->name);
		return;
	}
}

static void is_inside(const char *part, size_t bytes, const char *buffer, size_t size)
{
	CHECK(part >= buffer && part + bytes <= buffer + size, "%zu bytes at %p are not in %zu at %p", bytes,
	      (const void *)part, size, (const void *)buffer);
}

static void string_is_inside(const char *string, const char *buffer, size_t size)
{
	is_inside(string, 1, buffer, size);
	is_inside(string, strlen(string) + 1, buffer, size);
}

static void array_is_inside(char *const *array, const char *buffer, size_t size)
{
	is_inside((const char *)array, sizeof(*array), buffer, size);
	CHECK((uintptr_t)array % alignof(char *) == 0, "%p is not aligned", (const void *)array);
	CHECK(array[0] == NULL, "the array has members");
}

void record_is_inside(enum query query, const union record *record, const char *buffer, size_t size)
{
	switch (database(query)) {
	case PASSWD_NEXT:
		string_is_inside(record->passwd.pw_name, buffer, size);
		string_is_inside(record->passwd.pw_passwd, buffer, size);
		string_is_inside(record->passwd.pw_gecos, buffer, size);
		string_is_inside(record->passwd.pw_dir, buffer, size);
		string_is_inside(record->passwd.pw_shell, buffer, size);
		return;
	case GROUP_NEXT:
		string_is_inside(record->group.gr_name, buffer, size);
		string_is_inside(record->group.gr_passwd, buffer, size);
		array_is_inside(record->group.gr_mem, buffer, size);
		return;
	case SHADOW_NEXT:
		string_is_inside(record->shadow.sp_namp, buffer, size);
		string_is_inside(record->shadow.sp_pwdp, buffer, size);
		return;
	default:
		string_is_inside(record->gshadow.sg_namp, buffer, size);
		string_is_inside(record->gshadow.sg_passwd, buffer, size);
		array_is_inside(record->gshadow.sg_adm, buffer, size);
		array_is_inside(record->gshadow.sg_mem, buffer, size);
		return;
	}
}

size_t expected_size(enum query query, const struct identity *who)
{
	size_t name = strlen(who->name) + 1;

	switch (database(query)) {
	case PASSWD_NEXT:
		return name + sizeof("x") + sizeof("Dynamic User") + sizeof("/") + sizeof("/usr/sbin/nologin");
	case GROUP_NEXT:
		return name + sizeof("x") + sizeof(char *);
	case SHADOW_NEXT:
		return name + sizeof("!*");
	default:
		return name + sizeof("!*") + 2 * sizeof(char *);
	}
}
