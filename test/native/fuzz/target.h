/* Owns what a fuzz target is: a function that takes any bytes, and ends the program if what is tried with them breaks a promise. */
#ifndef TEST_FUZZ_TARGET_H
#define TEST_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

/* Called with each input, by libFuzzer or by replay.c. Always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Called once before that, if the target has it. Always 0. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

#endif
