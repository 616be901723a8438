/*
 * The exchange with the daemon: one connection, a call, answers to its questions, the call again, until there is a plan. The
 * lease that comes with the plan lasts as long as this process: the kernel told the daemon who called.
 */
#ifndef RUN_DAEMON_CLIENT_H
#define RUN_DAEMON_CLIENT_H

#include "cli/options.h"
#include "launch_reply.h"

struct daemon_client;

/*
 * Connects early, so that the daemon accepts the connection while the call is prepared. If that fails, daemon_launch() says why:
 * errors in the options come first.
 */
struct daemon_client *daemon_connect(void);

/*
 * Returns the last reply, which has a plan, or with --explain an explanation; its texts live until execve(2). Prints the daemon's
 * warnings. Ends the launcher if there is no daemon, or if it refuses, answers nonsense, or is silent for SILENCE_SECONDS.
 */
const struct reply *daemon_launch(struct daemon_client *client, const struct options *options, bool may_mount);

#endif
