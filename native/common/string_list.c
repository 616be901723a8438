/* See string_list.h. */
#include "string_list.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_MIN 16U

bool strings_add(struct strings *list, char *item)
{
	if (list->count + 2 > list->room) {
		size_t room = list->room == 0 ? ROOM_MIN : list->room * 2;
		char **items = room > STRINGS_MAX ? NULL : realloc(list->items, room * sizeof(*items));

		if (items == NULL)
			return false;
		list->items = items;
		list->room = room;
	}
	list->items[list->count++] = item;
	list->items[list->count] = NULL;
	return true;
}

static int by_bytes(const void *one, const void *other)
{
	return strcmp(*(char *const *)one, *(char *const *)other);
}

void strings_sort(struct strings *list)
{
	if (list->count > 0)
		qsort(list->items, list->count, sizeof(*list->items), by_bytes);
}

void strings_free(struct strings *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct strings){ 0 };
}
