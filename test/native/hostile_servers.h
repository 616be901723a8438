/* Owns the servers that lie, stall or flood, each with what a lookup and a list must make of it. */
#ifndef TEST_HOSTILE_SERVERS_H
#define TEST_HOSTILE_SERVERS_H

#include <nss.h>

#include "server.h"

struct hostile_server {
	const char *name;
	behaviour *behave;
	/* for a lookup of users[0] by number, and for the first of the list; 0: errno is left alone */
	enum nss_status lookup_status;
	int lookup_error;
	enum nss_status list_status;
	int list_error;
	/* how many users its list has, where it succeeds */
	unsigned int listed;
};

/* The server of that name, or NULL. */
const struct hostile_server *hostile_server_named(const char *name);

/* Prints all names, one a line. */
void hostile_servers_print(void);

#endif
