/* Owns the last call: finding the program, and becoming it. */
#ifndef RUN_PROGRAM_H
#define RUN_PROGRAM_H

/*
 * Becomes the program at a path, or of a name that is looked for in the PATH of environment. Where it cannot, says why, and ends
 * with STATUS_NOT_FOUND or STATUS_NOT_EXECUTABLE.
 */
_Noreturn void program_become(const char *name, char *const *arguments, char *const *environment);

#endif
