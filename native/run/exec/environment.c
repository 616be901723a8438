/* Later assignments win; see environment.h. */
#include "environment.h"

#include <string.h>
#include <unistd.h>

#include "cli/fail.h"
#include "inherited.h"

static bool has_name(const char *variable, const char *name, size_t length)
{
	return strncmp(variable, name, length) == 0 && variable[length] == '=';
}

static void append(struct strings *list, char *variable)
{
	if (!strings_add(list, variable))
		fail(STATUS_LAUNCHER, "the environment has too many variables");
}

/* Whether the service gets this variable of the launcher: by its name, or by the prefix before "*". */
static bool is_passed(const struct plan *plan, const char *variable)
{
	for (size_t i = 0; i < plan->pass_environment.count; i++) {
		const char *name = plan->pass_environment.items[i];
		size_t length = strlen(name);

		if (length > 0 && name[length - 1] == '*' ? strncmp(variable, name, length - 1) == 0 :
							    has_name(variable, name, length))
			return true;
	}
	return false;
}

static void set(struct strings *list, char *assignment)
{
	size_t length = strcspn(assignment, "=");

	for (size_t i = 0; i < list->count; i++) {
		if (has_name(list->items[i], assignment, length)) {
			list->items[i] = assignment;
			return;
		}
	}
	append(list, assignment);
}

/* NAME removes a variable, NAME=VALUE only if it has that value (UnsetEnvironment= of systemd.exec(5)). */
static void unset(struct strings *list, const char *what)
{
	bool by_name = strchr(what, '=') == NULL;
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (by_name ? has_name(list->items[i], what, strlen(what)) : strcmp(list->items[i], what) == 0)
			continue;
		list->items[kept++] = list->items[i];
	}
	list->count = kept;
	if (list->items != NULL)
		list->items[kept] = NULL;
}

char **environment_make(const struct plan *plan, unsigned int sockets)
{
	struct strings list = { 0 };
	static char *none = NULL;

	for (char **variable = environ; variable != NULL && *variable != NULL; variable++) {
		/* Without its variables a program would not know of the sockets that are passed on. */
		if (plan->inherit_environment || is_passed(plan, *variable) ||
		    (sockets > 0 && inherited_is_variable(*variable)))
			append(&list, *variable);
	}
	for (size_t i = 0; i < plan->environment.count; i++)
		set(&list, plan->environment.items[i]);
	for (size_t i = 0; i < plan->unset_environment.count; i++)
		unset(&list, plan->unset_environment.items[i]);
	return list.items == NULL ? &none : list.items;
}

char **environment_with(const struct plan *plan, char *const *environment, char *variable)
{
	struct strings list = { 0 };

	for (; *environment != NULL; environment++)
		append(&list, *environment);
	set(&list, variable);
	for (size_t i = 0; i < plan->unset_environment.count; i++)
		unset(&list, plan->unset_environment.items[i]);
	return list.items;
}

char **environment_without_sockets(char **environment)
{
	char **kept = environment;

	for (char **variable = environment; *variable != NULL; variable++) {
		if (!inherited_is_variable(*variable))
			*kept++ = *variable;
	}
	*kept = NULL;
	return environment;
}

const char *environment_value(char *const *environment, const char *name)
{
	size_t length = strlen(name);

	for (; environment != NULL && *environment != NULL; environment++) {
		if (has_name(*environment, name, length))
			return *environment + length + 1;
	}
	return NULL;
}
