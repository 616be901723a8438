/*
 * Numbers as text. They are not written by snprintf(3): its code is on pages of the C library that the launcher does not use otherwise, a
 * tenth of the memory that a start needs.
 */
#ifndef DYNUSER_DIGITS_H
#define DYNUSER_DIGITS_H

#include <stdint.h>

/* The digits of the largest number in base 8, and the NUL. */
#define DIGITS_MAX 12U

/* Writes a number in base 8 or 10 to a buffer of DIGITS_MAX bytes; returns where its NUL is. */
char *digits_put(char *at, uint32_t number, uint32_t base);

/* Reads a decimal number without sign or space. 0: the text is null, not such a number, or the number is greater than the bound. */
unsigned long digits_read(const char *text, unsigned long bound);

#endif
