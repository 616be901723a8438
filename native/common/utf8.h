/* Whether bytes are UTF-8, as JSON text must be (RFC 8259, section 8.1). Pure. */
#ifndef DYNUSER_UTF8_H
#define DYNUSER_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Whether length bytes at text are well-formed UTF-8: shortest forms, no surrogates, nothing past U+10FFFF. */
bool utf8_is_well_formed(const char *text, size_t length);

#endif
