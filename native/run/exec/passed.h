/*
 * The descriptors that a service is passed by the protocol of sd_listen_fds(3): the sockets that the launcher was passed, and after them
 * the files that its plan names.
 */
#ifndef RUN_PASSED_H
#define RUN_PASSED_H

#include "protocol/plan.h"

struct passed {
	unsigned int sockets;
	/* as many as there are files in the plan; those that could not be opened are left out */
	unsigned int files;
	int descriptors[OPEN_FILES_MAX];
	const char *names[OPEN_FILES_MAX];
};

/*
 * Opens the files, with all privileges and in the launcher's root. sockets: how many were passed. Ends the launcher with a message if a
 * file cannot be opened.
 */
void passed_open(const struct plan *plan, unsigned int sockets, struct passed *passed);

/* Puts all in place, right before execve(2), and returns the environment with the variables that tell of them. */
char **passed_on(const struct passed *passed, const struct plan *plan, char **environment);

#endif
