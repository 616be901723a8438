/* Sets of UIDs, as the daemon names them on a command line: FIRST-LAST, with commas in between. */
#ifndef DYNUSER_HELPER_UID_RANGE_H
#define DYNUSER_HELPER_UID_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* UIDs one after the other, both ends included. */
struct uid_interval {
	uint32_t first, last;
};

struct uid_range {
	const struct uid_interval *intervals;
	size_t count;
};

/* Reads a range into memory that lives as long as the process. False: the text says no range, or there is no memory. */
bool uid_range_parse(const char *text, struct uid_range *range);

bool uid_range_has(const struct uid_range *range, uint32_t uid);

#endif
