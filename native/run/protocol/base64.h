/* Base64 (RFC 4648), in which a plan has bytes. */
#ifndef RUN_BASE64_H
#define RUN_BASE64_H

#include <stddef.h>

/* More bytes than the text becomes. */
#define BASE64_BYTES(length) ((length) / 4 * 3 + 3)

/* The longest text that becomes so many bytes. */
#define BASE64_LENGTH(bytes) (((bytes) + 2) / 3 * 4)

/* Writes the bytes of a text to a place of BASE64_BYTES(strlen(text)); returns how many, or SIZE_MAX if it is not base64. */
size_t base64_read(const char *text, unsigned char *bytes);

#endif
