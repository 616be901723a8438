/**
 * The table of commands: verb, operands, options, help and handler. The parser, the help texts, the manual page and
 * the completions are made from it and know no command by themselves.
 */
import { BASE_DIRECTORIES } from '../core/directory-classes.ts';
import { LIFETIMES } from '../core/wire-names.ts';
import type { CommandSpec, CommandTable, OptionSpec } from './command.ts';
import { JSON_MODES } from './render/json.ts';

export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  { name: 'json', value: JSON_MODES.join('|'), choices: JSON_MODES, help: 'Print JSON, indented or on one line' },
  { name: 'no-legend', help: 'Leave out column titles and the line of totals' },
  { name: 'help', help: 'Show this text, or that of the command' },
  { name: 'version', help: 'Show the version' },
];

/** The options that name directories, with the directory that those are below; the most usual first. */
const DIRECTORY_OPTIONS = (['state', 'cache', 'logs', 'runtime'] as const).map(
  kind => [`${kind}-directory`, BASE_DIRECTORIES[kind]] as const,
);

/** What acquire and explain take alike: the request for a user. */
const REQUEST_OPTIONS: readonly OptionSpec[] = [
  { name: 'user', value: 'NAME', help: 'The name of the user, instead of one derived from the unit' },
  { name: 'per-instance', help: 'One user for each instance of a template, instead of one for all of them' },
  ...DIRECTORY_OPTIONS.map(
    ([name, base]): OptionSpec => ({
      name,
      value: 'DIR',
      repeatable: true,
      help: `A directory of the unit below ${base}; the UID that owns it is tried first`,
    }),
  ),
  {
    name: 'verify',
    help: 'Check the owners of all files even if the directory itself has the right one, and repair them; not while a live user has the directory',
  },
];

/** How acquire prepares directories. */
const HANDOVER_OPTIONS: readonly OptionSpec[] = [
  ...DIRECTORY_OPTIONS.map(
    ([name, base]): OptionSpec => ({
      name: `${name}-mode`,
      value: 'MODE',
      help: `The mode of the directories below ${base}, in octal (0755 unless given)`,
    }),
  ),
  {
    name: 'expose-directories',
    help: 'While the user lives, move its directories to their public paths, with mode 0700; for services that are started without mounts',
  },
  { name: 'runtime-directory-preserve', help: 'Keep directories below /run when the user ends' },
];

/** What acquire alone takes. */
const LEASE_OPTIONS: readonly OptionSpec[] = [
  { name: 'description', value: 'TEXT', help: 'What the lease is for, in one line; show tells it' },
];

/** What happens to leftovers of a user. */
const CLEANUP_OPTIONS: readonly OptionSpec[] = [
  { name: 'no-kill-processes', help: 'Do not end processes of the user when it ends' },
  { name: 'no-remove-ipc', help: 'Do not remove IPC objects of the user when it ends' },
];

export const COMMANDS: readonly CommandSpec[] = [
  {
    verb: 'list',
    operands: [],
    summary: 'List the users and their leases',
    description: [
      'Lists every lease, sorted by UID and age. Several leases can hold one user, which lives until its last lease ends.',
      'A user is shown as "ending" if its last lease has ended and something is left of it: its name no longer resolves, and its UID is reserved until nothing is left. A user is shown as "lost" if somebody else has locked its UID.',
      'JSON is one array of leases; "since" is in microseconds since the epoch.',
    ],
    options: [],
    examples: ['dynuserctl list', 'dynuserctl --json=short list'],
    load: async () => (await import('./verbs/list.ts')).list,
  },
  {
    verb: 'show',
    operands: ['NAME|UID'],
    summary: 'Show one user and its leases',
    description: [
      'Shows a user by its name or UID: GID, kind, and each lease with its id, unit, lifetime and directories.',
      'If the user is ending, it shows what keeps the UID reserved. The exit status is 1 if no user has the name or UID.',
    ],
    options: [],
    examples: ['dynuserctl show dynamic-user-test', 'dynuserctl show 64642'],
    load: async () => (await import('./verbs/show.ts')).show,
  },
  {
    verb: 'acquire',
    operands: ['UNIT'],
    summary: 'Allocate the user of a unit, or join the one it has',
    description: [
      'Allocates the user of a unit and prints its UID. If a user of that name lives already, it gets one more lease.',
      'The lease lasts until it is released. With --lifetime=connection it lasts as long as this command, which then waits until it is interrupted; it stays over restarts of the daemon.',
      'Directories are handed over to the user first. A terminal shows the progress, and how each directory was handed over. Standard error names the files that keep their owner: mounts, and files of others that have another name elsewhere.',
    ],
    options: [
      ...REQUEST_OPTIONS,
      ...HANDOVER_OPTIONS,
      ...CLEANUP_OPTIONS,
      ...LEASE_OPTIONS,
      {
        name: 'lifetime',
        value: LIFETIMES.join('|'),
        choices: LIFETIMES,
        help: 'How long the lease lasts: explicit (the default), until it is released; connection, as long as this command runs; process, as long as the process of --pid; unit, as long as the unit is active in systemd',
      },
      { name: 'pid', value: 'PID', help: 'The process that the lease lasts as long as, with --lifetime=process' },
    ],
    examples: [
      'dynuserctl acquire dynamic-user-test.service',
      'dynuserctl acquire --user=web --state-directory=web web.service',
      'dynuserctl acquire --lifetime=process --pid=$$ job.service',
    ],
    load: async () => (await import('./verbs/acquire.ts')).acquire,
  },
  {
    verb: 'release',
    operands: ['NAME|UID|LEASE'],
    summary: 'Release a lease; the last one ends the user',
    description: [
      'Releases a lease by its id (32 hexadecimal digits). A name or UID releases the one explicit lease of that user.',
      'Leases with other lifetimes end by themselves; the id of the lease, or --all, ends them earlier.',
      'When the last lease ends, the processes, IPC objects and runtime directories of the user are removed. If something cannot be removed, the lease ends all the same, but the UID stays reserved: standard error names what is left, and the daemon tries again.',
    ],
    options: [{ name: 'all', help: 'Release every lease of the user, whatever its lifetime' }],
    examples: ['dynuserctl release dynamic-user-test', 'dynuserctl release --all 64642'],
    load: async () => (await import('./verbs/release.ts')).release,
  },
  {
    verb: 'explain',
    operands: ['UNIT'],
    summary: 'Say what acquire would do, and why',
    description: [
      'Says what acquire would do with the same options for the same caller, and changes nothing. If acquire would be refused, it says why, and the exit status is 1. Shows the outcome, the name and where it comes from, and the candidates in order with what was found about each, up to the first that is free.',
      'For each directory it shows how it would be handed over (none: it is the user\'s already; chown: its owner is changed), who owns it, and how many inodes would change; "at least" means that there was no time to count them all.',
    ],
    options: [...REQUEST_OPTIONS, ...HANDOVER_OPTIONS],
    examples: [
      'dynuserctl explain dynamic-user-test.service',
      'dynuserctl explain --user=web --state-directory=web web.service',
    ],
    load: async () => (await import('./verbs/explain.ts')).explain,
  },
  {
    verb: 'watch',
    operands: [],
    summary: 'Show users as they come and go',
    description: [
      'Prints a line for each live lease, then "ready", then a line whenever a lease begins or ends, until it is interrupted.',
      'JSON is one object for each event; "time" is in microseconds since the epoch.',
    ],
    options: [],
    examples: ['dynuserctl watch', 'dynuserctl --json=short watch'],
    load: async () => (await import('./verbs/watch.ts')).watch,
  },
  {
    verb: 'status',
    operands: [],
    summary: 'Show whether the daemon answers and lookups reach it',
    description: [
      'Shows the daemon with its version, the number of live users, what keeps the UIDs of ended users reserved, and whether the name service of this host and the user database of systemd ask the daemon. If something is wrong, it says what to do.',
      'The exit status is 1 if the daemon cannot be reached.',
    ],
    options: [],
    examples: ['dynuserctl status'],
    load: async () => (await import('./verbs/status.ts')).status,
  },
  {
    verb: 'doctor',
    operands: [],
    summary: 'Check the host, and say what to do about each problem',
    description: [
      'Checks the daemon, its rights, namespaces and helper, the accounts that it allows, the runtime directory and the free space in it, nsswitch.conf and the NSS module with a live user, sources of accounts that need the network, the user database of systemd, who else may use UIDs of the range, the directories of users and their file systems, users that do not end, and the system bus. Changes nothing without --try. Every wait is bounded.',
      'With --try it also acquires a user with a random name, looks it up while it lives, and releases it. The lease ends with this command, even if it is interrupted or killed.',
      'Each check is ok, a warning, a problem, or unknown if this user or this host does not show it; run it as root to see everything. JSON is an array of objects with "check", "level", "finding" and, if there is something to do, "advice".',
      'The exit status is 1 if there is a problem.',
    ],
    options: [{ name: 'try', help: 'Acquire a user for a moment, look it up, and release it' }],
    examples: ['dynuserctl doctor', 'dynuserctl doctor --try', 'dynuserctl --json=short doctor'],
    load: async () => (await import('./verbs/doctor.ts')).doctor,
  },
];

export const COMMAND_TABLE: CommandTable = { commands: COMMANDS, options: GLOBAL_OPTIONS };
