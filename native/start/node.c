/* See node.h. */
#include "node.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define USUAL_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static bool is_usable(const char *file)
{
	struct stat status;

	return stat(file, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & S_IWOTH) == 0 &&
	       access(file, X_OK) == 0;
}

bool find_node(const char *path, char found[NODE_PATH_SIZE])
{
	if (path == NULL)
		path = USUAL_PATH;
	for (;;) {
		size_t length = strcspn(path, ":");

		if (path[0] == '/' && length < NODE_PATH_SIZE) {
			int written = snprintf(found, NODE_PATH_SIZE, "%.*s/node", (int)length, path);

			if (written < NODE_PATH_SIZE && is_usable(found))
				return true;
		}
		if (path[length] == '\0')
			return false;
		path += length + 1;
	}
}
