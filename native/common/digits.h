/*
 * Owns the writing of numbers as text. Why not snprintf(3): its code lies far from all else that the launcher uses of the C library,
 * and would be a tenth of the memory that a start needs.
 */
#ifndef DYNUSER_DIGITS_H
#define DYNUSER_DIGITS_H

#include <stdint.h>

/* The digits of the largest number in base 8, and the NUL. */
#define DIGITS_MAX 12U

/* Writes a number at a place that has room for DIGITS_MAX, in base 8 or 10; returns where the NUL is that ends it. */
char *digits_put(char *at, uint32_t number, uint32_t base);

#endif
