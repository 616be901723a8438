#include "names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "limits.h"

#define FIRST_CAPACITY 65536U

static bool grow(struct tree_names *names, size_t needed)
{
	size_t capacity = names->capacity == 0 ? FIRST_CAPACITY : names->capacity;

	while (capacity < needed)
		capacity *= 2;
	char *bytes = capacity > TREE_NAMES_MAX ? NULL : realloc(names->bytes, capacity);

	if (bytes == NULL) {
		errno = ENOMEM;
		return false;
	}
	names->bytes = bytes;
	names->capacity = capacity;
	return true;
}

bool tree_names_push(struct tree_names *names, const char *name)
{
	size_t size = strlen(name) + 1;

	if (names->length + size > names->capacity && !grow(names, names->length + size))
		return false;
	memcpy(names->bytes + names->length, name, size);
	names->length += size;
	return true;
}

size_t tree_names_last(const struct tree_names *names)
{
	/* Before the NUL of the last name, the nearest NUL is that of the name before it. */
	const char *before = names->length < 2 ? NULL : memrchr(names->bytes, '\0', names->length - 1);

	return before == NULL ? 0 : (size_t)(before - names->bytes) + 1;
}

void tree_names_cut(struct tree_names *names, size_t place)
{
	names->length = place;
}

void tree_names_free(struct tree_names *names)
{
	free(names->bytes);
	*names = (struct tree_names){ 0 };
}
