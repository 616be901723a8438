/*
 * One lookup by the module, for tests that look from outside: at its system calls, or at a program with more rights
 * than its caller. Arguments: the module, the query's number (module.h), the UID and the name. Prints the record or the
 * status.
 */
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"
#include "module.h"

#define BUFFER_BYTES 256
#define DECIMAL 10

/* A system call that nothing else here makes, to be seen in a trace before and after the lookup. */
static void mark(void)
{
	(void)syscall(SYS_getppid);
}

int main(int argc, char **argv)
{
	char buffer[BUFFER_BYTES], text[TEXT_BYTES];
	struct identity who;
	union record record;
	struct outcome outcome;
	struct module *module;
	enum query query;

	CHECK(argc == 5, "usage: %s MODULE QUERY UID NAME", argv[0]);
	module = module_load(argv[1]);
	query = (enum query)strtoul(argv[2], NULL, DECIMAL);
	who = identity_of((uid_t)strtoul(argv[3], NULL, DECIMAL), argv[4]);
	mark();
	outcome = module_ask(module, query, &who, &record, buffer, sizeof(buffer));
	mark();
	if (outcome.status == NSS_STATUS_SUCCESS) {
		record_text(query, &record, text);
		(void)puts(text);
	} else {
		(void)printf("status %d\n", outcome.status);
	}
	module_unload(module);
	return 0;
}
