/* Owns the PID namespace that a test runs in: it sees no process but its own, and all of them end with it. */
#ifndef DYNUSER_TEST_PID_NAMESPACE_H
#define DYNUSER_TEST_PID_NAMESPACE_H

/*
 * To be returned from main. Runs the tests in a child, in a PID and a mount namespace whose PID 1 waits for all that lose
 * their parents. Returns an exit status, in each of the processes that main returns from then.
 */
int in_pid_namespace(int (*run_tests)(void));

#endif
