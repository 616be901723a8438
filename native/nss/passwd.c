/* The passwd database: getpwnam(3) and its kin. It states the entry points of glibc and nothing else. */
#include <pwd.h>

#include "answer.h"

/* No header has them: glibc finds them by name with dlsym(3). */
enum nss_status _nss_dynuser_getpwnam_r(const char *name, struct passwd *result, char *buffer, size_t size,
					int *error_number);
enum nss_status _nss_dynuser_getpwuid_r(uid_t uid, struct passwd *result, char *buffer, size_t size,
					int *error_number);
enum nss_status _nss_dynuser_setpwent(int stay_open);
enum nss_status _nss_dynuser_getpwent_r(struct passwd *result, char *buffer, size_t size, int *error_number);
enum nss_status _nss_dynuser_endpwent(void);

static struct enumeration all_users = { .database = "passwd" };

NSS_EXPORT enum nss_status _nss_dynuser_getpwnam_r(const char *name, struct passwd *result, char *buffer, size_t size,
						   int *error_number)
{
	const struct destination destination = { pack_passwd, result, buffer, size, error_number };

	return answer_name(RECORD_USER, name, &destination);
}

NSS_EXPORT enum nss_status _nss_dynuser_getpwuid_r(uid_t uid, struct passwd *result, char *buffer, size_t size,
						   int *error_number)
{
	const struct destination destination = { pack_passwd, result, buffer, size, error_number };

	return answer_uid(RECORD_USER, uid, &destination);
}

NSS_EXPORT enum nss_status _nss_dynuser_setpwent(int stay_open)
{
	(void)stay_open;
	return answer_reset(&all_users);
}

NSS_EXPORT enum nss_status _nss_dynuser_getpwent_r(struct passwd *result, char *buffer, size_t size,
						   int *error_number)
{
	const struct destination destination = { pack_passwd, result, buffer, size, error_number };

	return answer_next(&all_users, RECORD_USER, &destination);
}

NSS_EXPORT enum nss_status _nss_dynuser_endpwent(void)
{
	return answer_reset(&all_users);
}
