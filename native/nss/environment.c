/* See environment.h. */
#include "environment.h"

#include <stdlib.h>
#include <string.h>

#include "dynuser.h"
#include "bounds.h"

static bool is_set_to(const char *name, const char *wanted)
{
	const char *value = secure_getenv(name);

	return value != NULL && strcmp(value, wanted) == 0;
}

bool environment_bypass(void)
{
	return is_set_to(DYNUSER_ENV_BYPASS, "1");
}

bool environment_forces_varlink(void)
{
	return is_set_to(DYNUSER_ENV_SOURCE, "varlink");
}

const char *environment_runtime_directory(void)
{
	const char *value = secure_getenv(DYNUSER_ENV_RUNTIME_DIRECTORY);

	if (value == NULL || value[0] != '/' || strnlen(value, RUNTIME_DIRECTORY_MAX + 1) > RUNTIME_DIRECTORY_MAX)
		return DYNUSER_RUNTIME_DIRECTORY;
	return value;
}
