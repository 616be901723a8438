/* dynuser-run --check: judges unit files. TypeScript decides that, so dynuserctl does it. */
#ifndef RUN_CHECK_H
#define RUN_CHECK_H

/* Becomes "dynuserctl check" with all arguments after --check. Returns if that is not the first argument. */
void check_take_over(char **argv);

#endif
