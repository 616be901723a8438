/** What a launcher is asked most often about its host. dynuser-run answers it unasked (native/include/dynuser.h), which saves a round. */

/** Only a host with systemd's journal has it. */
export const JOURNAL_SOCKET = '/run/systemd/journal/dev-log';
/** The kernel's memory, if the kernel was built to show it. */
export const KERNEL_MEMORY = '/proc/kcore';

/** Patterns that match themselves alone: whether something is there. */
export const USUAL_GLOBS: readonly string[] = [JOURNAL_SOCKET, KERNEL_MEMORY];
