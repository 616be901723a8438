/* Lists of strings that grow up to a bound, always ended by a null pointer, as execve(2) needs them. */
#ifndef DYNUSER_STRING_LIST_H
#define DYNUSER_STRING_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* More than the kernel accepts of arguments and variables together (execve(2): 3/4 of 8 MiB). */
#define STRINGS_MAX 1048576U

/* All zeros at first: no strings, and items is null. The strings themselves belong to the caller. */
struct strings {
	char **items;
	size_t count;
	size_t room;
};

/* Appends one. False: too many, or no memory. */
bool strings_add(struct strings *list, char *item);

/* Puts them in the order of their bytes. */
void strings_sort(struct strings *list);

/* Frees the list and its strings, all of which were allocated. */
void strings_free(struct strings *list);

#endif
