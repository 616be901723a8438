/**
 * The table of commands: verb, operands, options, help and handler. The parser, the help texts and shell completions
 * are made from it and know nothing of their own. A handler's file is loaded when its verb is called: starting the
 * command costs what that verb needs.
 */
import { LIFETIMES } from '../core/lease.ts';
import type { Invocation } from './command-line.ts';
import type { ExitStatus } from './failure.ts';
import type { ProcessIo } from './process-io.ts';
import { JSON_MODES } from './render/json.ts';

export interface OptionSpec {
  /** without its dashes */
  readonly name: string;
  /** what its value stands for; a switch has none */
  readonly value?: string;
  /** the values that it takes, where they are few */
  readonly choices?: readonly string[];
  readonly repeatable?: true;
  readonly help: string;
}

/** @throws CommandFailure */
export type Handler = (invocation: Invocation, io: ProcessIo) => Promise<ExitStatus>;

export interface CommandSpec {
  readonly verb: string;
  /** all of them are needed, in this order */
  readonly operands: readonly string[];
  /** one line, as the general help shows it */
  readonly summary: string;
  /** paragraphs */
  readonly description: readonly string[];
  readonly options: readonly OptionSpec[];
  readonly examples: readonly string[];
  readonly load: () => Promise<Handler>;
}

export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  { name: 'json', value: JSON_MODES.join('|'), choices: JSON_MODES, help: 'Print JSON, indented or on one line' },
  { name: 'no-legend', help: 'Leave out column titles and the line of totals' },
  { name: 'help', help: 'Show this text, or that of the command' },
  { name: 'version', help: 'Show the version' },
];

/** The classes of directories, with the directory that each is below. */
const DIRECTORY_CLASSES = [
  ['state-directory', '/var/lib'],
  ['cache-directory', '/var/cache'],
  ['logs-directory', '/var/log'],
  ['runtime-directory', '/run'],
] as const;

/** What acquire and explain take alike: the request for a user. */
const REQUEST_OPTIONS: readonly OptionSpec[] = [
  { name: 'user', value: 'NAME', help: 'The name of the user, instead of one derived from the unit' },
  { name: 'per-instance', help: 'One user for each instance of a template, instead of one for all of them' },
  ...DIRECTORY_CLASSES.map(
    ([name, base]): OptionSpec => ({
      name,
      value: 'DIR',
      repeatable: true,
      help: `A directory of the unit below ${base}: the UID that owns it is tried first`,
    }),
  ),
  {
    name: 'verify',
    help: 'Look through directories whose owner is right already, and repair wrong owners below; not while a live user has them',
  },
];

/** How acquire makes what it hands over. */
const HANDOVER_OPTIONS: readonly OptionSpec[] = [
  ...DIRECTORY_CLASSES.map(
    ([name, base]): OptionSpec => ({
      name: `${name}-mode`,
      value: 'MODE',
      help: `The mode of the directories below ${base}, in octal (0755 unless given)`,
    }),
  ),
  {
    name: 'expose-directories',
    help: 'While the user lives, have its directories at their public paths with mode 0700: for services that are started without mounts',
  },
  { name: 'runtime-directory-preserve', help: 'Keep directories below /run when the user ends' },
];

/** What becomes of what a user leaves behind. */
const CLEANUP_OPTIONS: readonly OptionSpec[] = [
  { name: 'no-kill-processes', help: 'Leave processes of the user alone when it ends' },
  { name: 'no-remove-ipc', help: 'Leave IPC objects of the user alone when it ends' },
];

export const COMMANDS: readonly CommandSpec[] = [
  {
    verb: 'list',
    operands: [],
    summary: 'List the users and who holds them',
    description: [
      'Lists every lease, sorted by UID and age: a user has one lease for each of its holders and lives as long as it has any.',
      'A user without a lease of which something is left is shown as "ending": its name resolves no more, and its UID is reserved until nothing is left. One whose UID somebody else has locked is shown as "lost".',
      'In JSON one array of leases; "since" is in microseconds since the epoch.',
    ],
    options: [],
    examples: ['dynuserctl list', 'dynuserctl --json=short list'],
    load: async () => (await import('./verbs/list.ts')).list,
  },
  {
    verb: 'show',
    operands: ['NAME|UID'],
    summary: 'Show one user and who holds it',
    description: [
      'Shows a user by its name or number: UID, GID, kind, and each holder with its lease, unit, lifetime and directories.',
      'Of a user that is ending it shows what keeps the UID reserved. Exit status 1 where no user has the name or number.',
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
      'Allocates the user of a unit and prints its UID. A user of that name that lives already gets one more holder.',
      'The lease lasts until it is released. With --lifetime=connection it lasts as long as this command, which then waits until it is interrupted, over restarts of the daemon too.',
      "Directories become the user's before it is given; on a terminal, how far that is and how each was handed over is shown. What keeps its owner below them, other names of foreign files and mounts, is named on standard error.",
    ],
    options: [
      ...REQUEST_OPTIONS,
      ...HANDOVER_OPTIONS,
      ...CLEANUP_OPTIONS,
      {
        name: 'lifetime',
        value: LIFETIMES.join('|'),
        choices: LIFETIMES,
        help: 'How long the lease lasts: explicit, until it is released (the default), connection, as long as this command runs, process, as long as that of --pid, or unit, as long as systemd has the unit active',
      },
      { name: 'pid', value: 'PID', help: 'The process that --lifetime=process binds the lease to' },
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
      'Releases a lease by its id (32 hexadecimal digits), or by name or UID the one explicit lease of that user.',
      'Other lifetimes end by themselves: naming the lease, or --all, ends them before their time.',
      'With the last lease the processes, IPC objects and runtime directories of the user go. What cannot be removed keeps the UID reserved: it is named on standard error and tried again by the daemon, and the lease is dropped all the same.',
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
      'Says what acquire would do with the same options for the same caller, or why it would be refused; exit status 1 then. Changes nothing. Shows the outcome, the name and how it came about, and the candidates in order with what was found about each, up to the first that is free.',
      'Of each directory it shows how it would be handed over (none: it is the user\'s already; chown: its owner is changed), who owns it, and how many of its inodes would change; "at least" where there was no time to count them all.',
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
      'Prints a line for each live lease, then "ready", then a line for each lease as it is allocated and released, until it is interrupted.',
      'In JSON one object for each event; "time" is in microseconds since the epoch.',
    ],
    options: [],
    examples: ['dynuserctl watch', 'dynuserctl --json=short watch'],
    load: async () => (await import('./verbs/watch.ts')).watch,
  },
  {
    verb: 'status',
    operands: [],
    summary: 'Show whether the daemon answers and the host asks it',
    description: [
      'Shows the daemon with its version, how many users live, what keeps the UIDs of users that have ended reserved, and whether the name service of this host and the user database of systemd know where to ask for them; where something is amiss, what to do about it.',
      'Exit status 1 where the daemon cannot be reached.',
    ],
    options: [],
    examples: ['dynuserctl status'],
    load: async () => (await import('./verbs/status.ts')).status,
  },
  {
    verb: 'doctor',
    operands: [],
    summary: 'Look the host over, and say what to do where something is amiss',
    description: [
      'Checks the daemon, its rights, namespaces and helper, the accounts that it allows, the runtime directory and the free space in it, nsswitch.conf and the NSS module with a live user, sources of accounts that need the network, the user database of systemd, who else may have UIDs of the range, the directories of users and what they are on, users that do not end, and the system bus. Changes nothing without --try; every wait has an end.',
      'With --try it also acquires a user of its own with a random name, looks it up while it lives, and releases it. The lease ends with this command, also if that is interrupted or killed.',
      'Each check is ok, a warning, a problem, or unknown where this user or this host does not show it; run it as root to see all. In JSON an array of objects with "check", "level", "finding" and, where there is something to do, "advice".',
      'Exit status 1 where there is a problem.',
    ],
    options: [{ name: 'try', help: 'Acquire a user for a moment, look it up, and release it' }],
    examples: ['dynuserctl doctor', 'dynuserctl doctor --try', 'dynuserctl --json=short doctor'],
    load: async () => (await import('./verbs/doctor.ts')).doctor,
  },
];
