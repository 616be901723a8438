/*
 * The namespaces of a service but that of its mounts, and the user namespaces that say how id-mapped mounts map their owners
 * (mount_setattr(2)). proc is a descriptor of the launcher's /proc.
 */
#ifndef RUN_NAMESPACES_H
#define RUN_NAMESPACES_H

#include <sys/types.h>

#include "protocol/plan.h"

/*
 * Enters the network and IPC namespaces that the plan asks for, new ones or those at its paths, which all commands share. To be called
 * before the mounts are set up, since sysfs and mqueue show the namespaces of whoever mounts them. The loopback interface of a new network
 * is up. Ends the process on failure.
 */
void namespaces_enter_shared(const struct plan *plan);

/* Enters the UTS and control group namespaces that the plan asks for; each command gets new ones. Ends the process on failure. */
void namespaces_enter(const struct plan *plan);

/*
 * Enters those that a process of the service has, instead of new ones. A service may have left its own for one that it made in a user
 * namespace, where it is root: the launcher does not enter that. Ends the process on failure.
 */
void namespaces_join(const struct plan *plan, pid_t process);

/* The user namespace of PrivateUsers=, the child that was created in it, which has to be waited for, and /proc. */
struct private_users {
	/* -1: there is no such namespace */
	int namespace;
	pid_t child;
	int proc;
};

/*
 * Makes the user namespace of PrivateUsers=, if the plan has one, in which those that the plan says are themselves, everybody else nobody.
 * To be called once, before the process changes its users and groups: after that the kernel does not let it open the namespace. Ends the
 * process on failure.
 */
struct private_users private_users_make(const struct plan *plan);

/*
 * Moves this process into it, if there is one, closes it and waits for the child. The process gets all capabilities there, and none
 * outside. Ends the process on failure.
 */
void private_users_enter(const struct private_users *users);

/* A unit's directories have one owner, so one mapping; another costs another namespace. */
#define IDMAPS_MAX 8U

/* The namespaces of mappings that exist already, for further mounts. All zeros: none. */
struct idmaps {
	struct id_map maps[IDMAPS_MAX];
	int namespaces[IDMAPS_MAX];
	size_t count;
};

/* The namespace of a mapping, in which nothing ever runs. -1 with errno. */
int idmap_namespace(struct idmaps *known, int proc, const struct id_map *map);

#endif
