/*
 * Owns the user namespaces that say how an id-mapped mount maps its owners (mount_setattr(2)). Nothing ever runs in one: a
 * child makes it, and is gone as soon as there is a descriptor.
 */
#ifndef RUN_IDMAP_H
#define RUN_IDMAP_H

#include <sys/types.h>

#include "protocol/plan.h"

/* A unit's directories have one owner, so one mapping; another costs another namespace. */
#define IDMAPS_MAX 8U

/* The mappings that were made, for further mounts of the same one. All zeros: none. */
struct idmaps {
	struct id_map maps[IDMAPS_MAX];
	int namespaces[IDMAPS_MAX];
	size_t count;
};

/* The namespace of a mapping, by way of the /proc that is a descriptor; -1 with errno. */
int idmap_namespace(struct idmaps *known, int proc, const struct id_map *map);

/* Writes one of /proc/<process>/{uid,gid}_map: root is root, and inside is outside. -1 with errno. */
int idmap_write(int proc, pid_t process, const char *file, uint32_t inside, uint32_t outside);

#endif
