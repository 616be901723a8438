/* Owns the bounds of the tree verbs. */
#ifndef DYNUSER_HELPER_TREE_LIMITS_H
#define DYNUSER_HELPER_TREE_LIMITS_H

/* Bytes of entries of one chunk of work: some 2,000 short names, of one directory or of many small ones. */
#define TREE_CHUNK_BYTES (64U * 1024U)
/* A chunk with less room than this for another read is handed over. */
#define TREE_CHUNK_ROOM (8U * 1024U)
/* The shortest record of getdents64(2): its header, one byte of name, the NUL, and padding to eight. */
#define TREE_ENTRY_SHORTEST 24U
/* Directories with entries in one chunk, and chunks under way. */
#define TREE_CHUNK_DIRECTORIES 32U
#define TREE_CHUNKS 8U
/* Threads at most, the walking one included; never more than processors. */
#define TREE_THREADS_MAX 4U
/* Directories that are open and wait for the work in them, before they are done themselves. */
#define TREE_DEPARTURES 256U
/* How deep a removal goes: what is deeper is moved to the top first, so that there is no depth that it does not come to. */
#define TREE_LIFT_DEPTH 4096U
/* Names that are tried for what is moved there. */
#define TREE_LIFT_NAMES 8U
/* Directories below each other, but for a removal; a path of that depth has no name in Linux, and is reached by descriptors alone. */
#define TREE_DEPTH_MAX 65536U
/* Directories on the way down that are held open; those above are opened again by way of "..". */
#define TREE_OPEN_DIRECTORIES 32U
/* Bytes of names of directories that are still to be visited: of one with some millions of directories. */
#define TREE_NAMES_MAX (256U * 1024U * 1024U)
/* Former owners that are remembered while a handover is interrupted again and again. */
#define TREE_FORMER_OWNERS_MAX 32U
/* Progress is told at most that often. */
#define TREE_PROGRESS_INTERVAL_MS 100U
/* Mounts and inodes left alone that are told by name; the rest is counted. */
#define TREE_NAMED_MAX 16U
/* How far the walk yields to the daemon, which answers requests meanwhile: nice(2). */
#define TREE_NICENESS 5
/* The descriptor of the tree's top that the daemon passes. */
#define TREE_TOP_DESCRIPTOR 3

#endif
