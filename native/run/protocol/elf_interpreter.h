/* What a program names to be run by: the dynamic linker of its C library (elf(5), PT_INTERP). */
#ifndef RUN_ELF_INTERPRETER_H
#define RUN_ELF_INTERPRETER_H

#include <stdbool.h>

/* A path with its NUL; longer ones are not a dynamic linker's. */
#define ELF_INTERPRETER_BYTES 256U

/*
 * Reads the interpreter of a program that was opened with O_PATH; "": it names none, and is static. descriptors: /proc/self/fd. False: the
 * file is not a program for this processor, but for example a script, or cannot be read.
 */
bool elf_interpreter(int descriptors, int program, char interpreter[ELF_INTERPRETER_BYTES]);

#endif
