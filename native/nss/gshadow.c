/*
 * The gshadow database: a locked password that nobody can give, for root alone. It states the entry points of glibc and
 * nothing else. Root is asked for after the name: a name that cannot be ours costs no system call, not even geteuid(2).
 */
#include <gshadow.h>

#include "answer.h"
#include "shadow_access.h"

/* No header has them: glibc finds them by name with dlsym(3). */
enum nss_status _nss_dynuser_getsgnam_r(const char *name, struct sgrp *result, char *buffer, size_t size,
					int *error_number);
enum nss_status _nss_dynuser_setsgent(int stay_open);
enum nss_status _nss_dynuser_getsgent_r(struct sgrp *result, char *buffer, size_t size, int *error_number);
enum nss_status _nss_dynuser_endsgent(void);

static struct enumeration all_gshadow_records = { .database = "gshadow" };

NSS_EXPORT enum nss_status _nss_dynuser_getsgnam_r(const char *name, struct sgrp *result, char *buffer, size_t size,
						   int *error_number)
{
	const struct destination destination = { pack_gshadow, result, buffer, size, error_number };

	if (!name_is_possible(name) || !caller_sees_shadow())
		return NSS_STATUS_NOTFOUND;
	return answer_name(RECORD_GROUP, name, &destination);
}

NSS_EXPORT enum nss_status _nss_dynuser_setsgent(int stay_open)
{
	(void)stay_open;
	return answer_reset(&all_gshadow_records);
}

NSS_EXPORT enum nss_status _nss_dynuser_getsgent_r(struct sgrp *result, char *buffer, size_t size, int *error_number)
{
	const struct destination destination = { pack_gshadow, result, buffer, size, error_number };

	if (!caller_sees_shadow())
		return NSS_STATUS_NOTFOUND;
	return answer_next(&all_gshadow_records, RECORD_GROUP, &destination);
}

NSS_EXPORT enum nss_status _nss_dynuser_endsgent(void)
{
	return answer_reset(&all_gshadow_records);
}
