/** The bounds of a launch: what a request and the files that it names may make grow. */

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
export const COMMANDS_MAX = 64;
/** Questions of one round, and answers of all; the launcher has bounds of its own, native/run/protocol/questions.h. */
export const QUESTIONS_MAX = 1_000;
export const ANSWERS_MAX = 4_096;
/** A path in bytes, and a component of one: PATH_MAX less its NUL, and NAME_MAX, limits.h. */
export const PATH_BYTES_MAX = 4_095;
export const COMPONENT_BYTES_MAX = 255;
/** What of a value is shown in a message. */
export const SHOWN_MAX = 128;
/** Properties that one error names. */
export const REFUSED_SHOWN_MAX = 32;
/** A line of an explanation. */
export const COLUMNS_MAX = 100;
