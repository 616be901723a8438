/*
 * The user namespaces that say how id-mapped mounts map their owners (mount_setattr(2)). Nothing ever runs in one: a child creates
 * it, and ends as soon as a descriptor of it is open.
 */
#ifndef RUN_IDMAP_H
#define RUN_IDMAP_H

#include <sys/types.h>

#include "protocol/plan.h"

/* A unit's directories have one owner, so one mapping; another costs another namespace. */
#define IDMAPS_MAX 8U

/* The namespaces that exist already, for further mounts with the same mapping. All zeros: none. */
struct idmaps {
	struct id_map maps[IDMAPS_MAX];
	int namespaces[IDMAPS_MAX];
	size_t count;
};

/* The namespace of a mapping; proc is a descriptor of /proc. -1 with errno. */
int idmap_namespace(struct idmaps *known, int proc, const struct id_map *map);

/* Writes one of /proc/<process>/{uid,gid}_map: root is root, and inside is outside. -1 with errno. */
int idmap_write(int proc, pid_t process, const char *file, uint32_t inside, uint32_t outside);

#endif
