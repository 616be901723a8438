/* The service's environment: variables of the launcher, those that the plan sets, without those that it removes. */
#ifndef RUN_ENVIRONMENT_H
#define RUN_ENVIRONMENT_H

#include "inherited.h"
#include "protocol/plan.h"

/* The variables, ended by a null pointer. Ends the launcher if there is no memory. */
char **environment_make(const struct plan *plan, const struct inherited *inherited);

/* The value of a variable; null if there is none. */
const char *environment_value(char *const *environment, const char *name);

#endif
