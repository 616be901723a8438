/*
 * The shadow database: a locked password that nobody can give, for root alone. It states the entry points of glibc and
 * nothing else. Root is asked for after the name: a name that cannot be ours costs no system call, not even geteuid(2).
 */
#include <shadow.h>

#include "answer.h"
#include "shadow_access.h"

/* No header has them: glibc finds them by name with dlsym(3). */
enum nss_status _nss_dynuser_getspnam_r(const char *name, struct spwd *result, char *buffer, size_t size,
					int *error_number);
enum nss_status _nss_dynuser_setspent(int stay_open);
enum nss_status _nss_dynuser_getspent_r(struct spwd *result, char *buffer, size_t size, int *error_number);
enum nss_status _nss_dynuser_endspent(void);

static struct enumeration all_shadow_records = { .database = "shadow" };

NSS_EXPORT enum nss_status _nss_dynuser_getspnam_r(const char *name, struct spwd *result, char *buffer, size_t size,
						   int *error_number)
{
	const struct destination destination = { pack_shadow, result, buffer, size, error_number };

	if (!name_is_possible(name) || !caller_sees_shadow())
		return NSS_STATUS_NOTFOUND;
	return answer_name(RECORD_USER, name, &destination);
}

NSS_EXPORT enum nss_status _nss_dynuser_setspent(int stay_open)
{
	(void)stay_open;
	return answer_reset(&all_shadow_records);
}

NSS_EXPORT enum nss_status _nss_dynuser_getspent_r(struct spwd *result, char *buffer, size_t size, int *error_number)
{
	const struct destination destination = { pack_shadow, result, buffer, size, error_number };

	if (!caller_sees_shadow())
		return NSS_STATUS_NOTFOUND;
	return answer_next(&all_shadow_records, RECORD_USER, &destination);
}

NSS_EXPORT enum nss_status _nss_dynuser_endspent(void)
{
	return answer_reset(&all_shadow_records);
}
