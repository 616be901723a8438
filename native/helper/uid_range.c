/* See uid_range.h. */
#include "uid_range.h"

#include <stdlib.h>
#include <string.h>

#include "protocol.h"

/* Reads FIRST-LAST in place. */
static bool parse_interval(char *text, struct uid_interval *interval)
{
	const char *first = strsep(&text, "-");

	return text != NULL && parse_id(first, &interval->first) && parse_id(text, &interval->last) &&
	       interval->first <= interval->last;
}

bool uid_range_parse(const char *text, struct uid_range *range)
{
	char *rest = strdup(text);
	struct uid_interval *intervals;
	size_t count = 1;

	for (const char *comma = text; (comma = strchr(comma, ',')) != NULL; comma++)
		count++;
	intervals = calloc(count, sizeof(*intervals));
	if (rest == NULL || intervals == NULL)
		return false;
	*range = (struct uid_range){ intervals, count };
	for (size_t i = 0; i < count; i++) {
		if (!parse_interval(strsep(&rest, ","), &intervals[i]))
			return false;
	}
	return true;
}

bool uid_range_has(const struct uid_range *range, uint32_t uid)
{
	for (size_t i = 0; i < range->count; i++) {
		if (uid >= range->intervals[i].first && uid <= range->intervals[i].last)
			return true;
	}
	return false;
}
