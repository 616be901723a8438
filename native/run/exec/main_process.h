/* The process of a service that runs, held by a pidfd, so that its number cannot mean another process (pidfd_open(2)). */
#ifndef RUN_MAIN_PROCESS_H
#define RUN_MAIN_PROCESS_H

#include <stdbool.h>

#include "protocol/plan.h"

/* Opens it; -1: it has ended. Ends the launcher if it cannot be opened. */
int main_process_open(const struct main_process *main);

/* Whether it has ended, after which its number may be another's. */
bool main_process_has_ended(int process);

/* Sends it a signal, unless it has ended. */
void main_process_signal(int process, uint32_t number);

/*
 * Ends it by its stop signal, and by its final signal after its time. Returns when it has ended; ends the launcher with a message if it
 * still runs.
 */
void main_process_end(const struct main_process *main, int process);

#endif
