/* See lookup.h. */
#include "lookup.h"

#include "caller.h"
#include "environment.h"
#include "links.h"
#include "userdb.h"

int lookup_by_uid(enum record_kind kind, uid_t uid, struct identity *who)
{
	enum links_answer answer = LINKS_UNKNOWN;
	const char *runtime;
	struct caller caller;
	int error;

	if (!uid_is_possible(uid) || environment_bypass())
		return ENOENT;
	runtime = environment_runtime_directory();
	caller = caller_enter();
	if (!environment_forces_varlink())
		answer = links_by_uid(runtime, uid, who);
	if (answer == LINKS_UNKNOWN)
		error = userdb_by_uid(runtime, kind, uid, who);
	else
		error = answer == LINKS_FOUND ? 0 : ENOENT;
	caller_leave(&caller);
	return error;
}

int lookup_by_name(enum record_kind kind, const char *name, struct identity *who)
{
	enum links_answer answer = LINKS_UNKNOWN;
	const char *runtime;
	struct caller caller;
	int error;

	if (!name_is_possible(name) || environment_bypass())
		return ENOENT;
	runtime = environment_runtime_directory();
	caller = caller_enter();
	if (!environment_forces_varlink())
		answer = links_by_name(runtime, name, who);
	if (answer == LINKS_UNKNOWN)
		error = userdb_by_name(runtime, kind, name, who);
	else
		error = answer == LINKS_FOUND ? 0 : ENOENT;
	caller_leave(&caller);
	return error;
}
