/* See caller.h. */
#include "caller.h"

#include <stdlib.h>
#include <string.h>

#include "bounds.h"

static bool is_set_to(const char *name, const char *wanted)
{
	const char *value = secure_getenv(name);

	return value != NULL && strcmp(value, wanted) == 0;
}

bool caller_bypasses(void)
{
	return is_set_to(DYNUSER_ENV_BYPASS, "1");
}

bool caller_forces_varlink(void)
{
	return is_set_to(DYNUSER_ENV_SOURCE, "varlink");
}

const char *caller_runtime_directory(void)
{
	const char *value = secure_getenv(DYNUSER_ENV_RUNTIME_DIRECTORY);

	if (value == NULL || value[0] != '/' || strnlen(value, RUNTIME_DIRECTORY_MAX + 1) > RUNTIME_DIRECTORY_MAX)
		return DYNUSER_RUNTIME_DIRECTORY;
	return value;
}
