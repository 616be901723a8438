/* See string_list.h. */
#include "string_list.h"

#include <stdlib.h>

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
