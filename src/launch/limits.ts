/** The bounds of a launch: of all that a request, or a file that it names, can make grow. */

/** Characters of all properties, unit files, drop-ins and environment files together. */
export const TEXT_MAX = 1_048_576;
/** Characters that specifiers and variables make of that. */
export const EXPANDED_MAX = 4_194_304;
/** Assignments of the command line and of all files. */
export const ASSIGNMENTS_MAX = 4_096;
/** Entries in the list of one property: paths, groups, directories. */
export const LIST_MAX = 1_024;
/** Variables of the environment, from all sources. */
export const VARIABLES_MAX = 4_096;
/** Words in one command line, and command lines in one launch. */
export const ARGUMENTS_MAX = 4_096;
export const COMMANDS_MAX = 2_048;
/** Questions of one round, and answers of all; the launcher has bounds of its own, native/run/protocol/questions.h. */
export const QUESTIONS_MAX = 1_000;
export const ANSWERS_MAX = 4_096;
/** Bytes that StandardInputText= and StandardInputData= make. */
export const STREAM_BYTES_MAX = 1_048_576;
/** Instructions of a filter of system calls, BPF_MAXINSNS of linux/bpf_common.h; and compiled filters that are kept. */
export const FILTER_INSTRUCTIONS_MAX = 4_096;
export const FILTERS_KEPT_MAX = 64;
/** Requests that are not read again, and the characters of one with all its files. */
export const LAUNCHES_KEPT_MAX = 64;
export const LAUNCH_KEPT_CHARACTERS_MAX = 32_768;
/** All credentials of a service, as systemd bounds them. */
export const CREDENTIALS_BYTES_MAX = 1_048_576;
/** Files that a service is passed open; the launcher has the same bound, native/run/protocol/plan.h. */
export const OPEN_FILES_MAX = 256;
/** Disk images of a service; the launcher has the same bound, native/common/passing.h. */
export const IMAGES_MAX = 64;
/** Images whose contents are remembered, and the characters that are remembered for one. */
export const IMAGES_KEPT_MAX = 64;
export const IMAGE_KEPT_CHARACTERS_MAX = 32_768;
/** A path in bytes, and a component of one: PATH_MAX less its NUL, and NAME_MAX, limits.h. */
export const PATH_BYTES_MAX = 4_095;
export const COMPONENT_BYTES_MAX = 255;
/** Characters of a value that a message shows. */
export const SHOWN_MAX = 128;
/** Properties that one error names. */
export const REFUSED_SHOWN_MAX = 32;
/** A line of an explanation. */
export const COLUMNS_MAX = 100;
