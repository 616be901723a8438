/*
 * Owns the dialogue with the daemon: one connection, a call, answers to its questions, the call again, until there is a plan.
 * The lease that comes with it belongs to this process for as long as it lives: the daemon saw from the kernel who asked.
 */
#ifndef RUN_ASK_H
#define RUN_ASK_H

#include "cli/options.h"
#include "launch_reply.h"

struct dialogue;

/*
 * Connects, so that the daemon has the connection, on another processor, while the call is made ready. Where that fails, ask()
 * says why: what else there is to complain of comes first.
 */
struct dialogue *ask_early(void);

/*
 * Returns the last reply, which has a plan, or with --explain an explanation; its texts live until execve(2). Says the
 * daemon's warnings. Ends the launcher where there is no daemon, where it refuses, answers what is no answer, or says nothing
 * for SILENCE_SECONDS.
 */
const struct reply *ask(struct dialogue *dialogue, const struct options *options, bool may_mount);

#endif
