/* --help and --version. */
#ifndef RUN_USAGE_H
#define RUN_USAGE_H

/* Each prints to standard output and ends with status 0. */
_Noreturn void usage_help(void);
_Noreturn void usage_version(void);

#endif
