/* Owns the service's environment: what the launcher has or nothing, what the plan sets, and what it takes away. */
#ifndef RUN_VARIABLES_H
#define RUN_VARIABLES_H

#include "accounts/memberships.h"
#include "inherited.h"
#include "protocol/plan.h"

/* The variables, with a null pointer behind them. Ends the launcher where there is no memory. */
char **variables_make(const struct plan *plan, const struct account *account, const struct inherited *inherited);

/* The value of a variable; null where there is none. */
const char *variables_value(char *const *environment, const char *name);

#endif
