/* See phases.h. */
#include "phases.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "children.h"
#include "cli/fail.h"
#include "main_process.h"
#include "namespace/mount_namespace.h"
#include "namespace/namespaces.h"

/* The one exit status by which ExecCondition= says that the service has failed (systemd.service(5)). */
#define CONDITION_FAILED 255

static const char *const properties[] = {
	[PHASE_START_POST] = "ExecStartPost",
	[PHASE_RELOAD] = "ExecReload",
	[PHASE_STOP] = "ExecStop",
	[PHASE_STOP_POST] = "ExecStopPost",
};

/* The launcher's exit status for the end of a command: 0, or that of the failure, which is reported. */
static int judge(const struct plan *plan, const struct launch_command *command, int status)
{
	if ((WIFEXITED(status) && WEXITSTATUS(status) == 0) || command->ignore_failure)
		return 0;
	if (WIFSIGNALED(status)) {
		say("%s of %s= was ended by signal %d (%s)", command->path, properties[plan->phase], WTERMSIG(status),
		    strsignal(WTERMSIG(status)));
		return STATUS_SIGNAL + WTERMSIG(status);
	}
	say("%s of %s= failed with exit status %d", command->path, properties[plan->phase], WEXITSTATUS(status));
	return WEXITSTATUS(status);
}

static int run_all(const struct exec_context *context)
{
	const struct plan *plan = context->plan;
	uint32_t seconds = plan->has_main && plan->main.has_seconds ? plan->main.seconds : UINT32_MAX;
	int failure = 0;

	for (size_t i = 0; i < plan->commands_count && failure == 0; i++) {
		const struct launch_command *command = &plan->commands[i];

		failure = judge(plan, command, child_run(context, command, seconds).status);
	}
	return failure;
}

static _Noreturn void end_without_service(const struct plan *plan)
{
	/* There is nothing left to be stopped. */
	if (plan->phase == PHASE_STOP)
		_exit(0);
	fail(STATUS_LAUNCHER, "the service has ended: there is no process %u any more", plan->main.pid);
}

_Noreturn void phase_run(const struct exec_context *context)
{
	const struct plan *plan = context->plan;
	const struct main_process *main = &plan->main;
	int process = plan->has_main ? main_process_open(main) : -1;
	int failure;

	if (plan->has_main && process < 0)
		end_without_service(plan);
	mount_namespace_make_directories(plan);
	if (plan->has_main) {
		namespaces_join(plan, (pid_t)main->pid);
		/* The namespaces were entered by its number. */
		if (main_process_has_ended(process))
			end_without_service(plan);
	} else {
		namespaces_enter_shared(plan);
	}
	if (main->has_reload_signal)
		main_process_signal(process, main->reload_signal);
	failure = run_all(context);
	if (!main->has_stop_signal)
		_exit(failure);
	main_process_end(main, process);
	_exit(0);
}

/* Ends the launcher if a condition is not met, as with systemd. A child that failed before it became the program does not say that. */
static void judge_condition(const struct launch_command *command, struct child_end end)
{
	int code = WIFEXITED(end.status) ? WEXITSTATUS(end.status) : CONDITION_FAILED;

	if (!command->condition || !end.was_program || code == 0 || code == CONDITION_FAILED || command->ignore_failure)
		return;
	say("%s, the condition of the service, has exit status %d: nothing is started", command->path, code);
	_exit(0);
}

static void judge_before(const struct launch_command *command, int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	if (WIFSIGNALED(status)) {
		say("%s, which runs before the service, was ended by signal %d (%s)%s", command->path, WTERMSIG(status),
		    strsignal(WTERMSIG(status)), command->ignore_failure ? "; ignored" : "");
		if (!command->ignore_failure)
			_exit(STATUS_SIGNAL + WTERMSIG(status));
		return;
	}
	/* An ignored failure is not reported. */
	if (command->ignore_failure)
		return;
	fail(WEXITSTATUS(status), "%s, which runs before the service, failed with exit status %d", command->path,
	     WEXITSTATUS(status));
}

/*
 * Runs a command of ExecCondition= or ExecStartPre=, or of a service that ends with its commands. If it fails, and that is not ignored,
 * the launcher exits with its status.
 */
static void run_before(const struct exec_context *context, const struct launch_command *command)
{
	struct child_end end = child_run(context, command, UINT32_MAX);

	judge_condition(command, end);
	judge_before(command, end.status);
}

_Noreturn void phase_start(const struct exec_context *context)
{
	const struct plan *plan = context->plan;

	mount_namespace_make_directories(plan);
	/* One network and one IPC namespace for all commands, as with systemd. */
	namespaces_enter_shared(plan);
	for (size_t i = 0; i + (plan->waits_for_last ? 0 : 1) < plan->commands_count; i++)
		run_before(context, &plan->commands[i]);
	if (plan->waits_for_last)
		_exit(0);
	exec_last(context);
}
