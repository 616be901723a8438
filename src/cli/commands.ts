/**
 * The table of commands: verb, operands, options, help and handler. The parser, the help texts, the manual page and the completions are made
 * from it, so that a new command needs no change there.
 */
import { FLEET_ACTIONS, IMAGE_ACTIONS } from './actions.ts';
import type { CommandSpec, CommandTable, OptionSpec } from './command.ts';
import { MANAGERS } from './image/manager-names.ts';
import { KINDS, SORT_KEYS } from './leases.ts';
import { JSON_MODES } from './render/json.ts';
import { ACQUIRE_OPTIONS, REQUEST_OPTIONS } from './request.ts';

const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  { name: 'json', value: JSON_MODES.join('|'), choices: JSON_MODES, help: 'Print JSON, indented or on one line' },
  { name: 'no-legend', help: 'Leave out column titles and the line of totals' },
  { name: 'no-pager', help: 'Show a long answer without a pager' },
  { name: 'help', letter: 'h', help: 'Show this text, or that of the command' },
  { name: 'version', help: 'Show the version' },
];

const COMMANDS: readonly CommandSpec[] = [
  {
    verb: 'list',
    operands: ['[PATTERN...]'],
    summary: 'List the users and their leases',
    description: [
      'Lists every lease, or those whose name, unit or UID matches a pattern such as "web*" or "6150?". Several leases can hold one user, which lives until its last lease ends.',
      'A user is "dynamic", "fleet" if it has the UID that its name has on all hosts of the fleet, or "static" if it is an account of the host that a unit uses as it is. PID is the process that a lease lasts as long as; a lease that something else ends has none. A terminal that is too narrow leaves columns out before it cuts names.',
      'MEMBER is the user that is a member of the group, if the lease is its membership: such a lease ends with the one that it is for.',
      'A user is shown as "ending" if its last lease has ended and something is left of it: its name no longer resolves, and its UID is reserved until nothing is left. A user is shown as "lost" if somebody else has locked its UID.',
      'With --fleet it lists the users of all hosts of the fleet instead, as this host last heard of them, and says which of them live here. All of them can be looked up here. It needs neither the daemon nor the store. dynuserctl fleet names says on which hosts the others may live.',
      'JSON is one array of leases; "since" is in microseconds since the epoch. With --fleet it is one array of users with "uid", "userName" and, if the daemon answers, "live".',
    ],
    options: [
      {
        name: 'sort',
        value: 'KEY',
        choices: SORT_KEYS,
        help: 'Sort by this: uid (unless given), name, unit, lifetime, or since, the oldest first',
      },
      { name: 'kind', value: 'KIND', choices: KINDS, help: 'List users of this kind alone' },
      { name: 'fleet', help: 'List the users of all hosts of the fleet' },
    ],
    examples: [
      'dynuserctl list',
      "dynuserctl list 'web*' --sort=since",
      'dynuserctl list --fleet',
      'dynuserctl --json=short list',
    ],
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
      'With --group several users share a group. It is the group of the dynamic user of that name. It is made if it does not exist, and keeps its GID as long as a lease holds it. Each member has such a lease, which list shows with the member. Directories get the group. Root may name any group, also one of the host; others may name only a group all of whose leases are theirs.',
      'Directories are handed over to the user first. A terminal shows the progress, and how each directory was handed over. Standard error names the files that keep their owner: mounts, and files of others that have another name elsewhere.',
    ],
    options: ACQUIRE_OPTIONS,
    examples: [
      'dynuserctl acquire dynamic-user-test.service',
      'dynuserctl acquire --user=web --state-directory=web web.service',
      'dynuserctl acquire --group=web --state-directory=app app.service',
      'dynuserctl acquire --lifetime=process --pid=$$ job.service',
    ],
    load: async () => (await import('./verbs/acquire.ts')).acquire,
  },
  {
    verb: 'release',
    operands: ['NAME|UID|LEASE|PATTERN'],
    summary: 'Release a lease; the last one ends the user',
    description: [
      'Releases a lease by its id (32 hexadecimal digits). A name or UID releases the one explicit lease of that user.',
      'A pattern such as "job-*" releases the explicit leases of all users whose name, unit or UID matches. It shows them and asks first; without a terminal it needs --yes.',
      'Leases with other lifetimes end by themselves; the id of the lease, or --all, ends them earlier.',
      'When the last lease ends, the processes, IPC objects and runtime directories of the user are removed. If something cannot be removed, the lease ends all the same, but the UID stays reserved: standard error names what is left, and the daemon tries again.',
    ],
    options: [
      { name: 'all', help: 'Release every lease of the user, whatever its lifetime' },
      { name: 'yes', letter: 'y', help: 'Release what matches a pattern without a question' },
    ],
    examples: ['dynuserctl release dynamic-user-test', 'dynuserctl release --all 64642', "dynuserctl release 'job-*'"],
    load: async () => (await import('./verbs/release.ts')).release,
  },
  {
    verb: 'explain',
    operands: ['UNIT'],
    summary: 'Say what acquire would do, and why',
    description: [
      'Says what acquire would do with the same options for the same caller, and changes nothing. If acquire would be refused, it says why, and the exit status is 1. Shows the outcome, the name and where it comes from, what the fleet says of the name if it has it, and the candidates in order with what was found about each, up to the first that is free.',
      'For each directory it shows how it would be handed over (none: it is the user\'s already; chown: its owner is changed), who owns it, and how many inodes would change; "at least" means that there was no time to count them all.',
    ],
    options: REQUEST_OPTIONS,
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
      'dynuserctl without a command is the same.',
      'Shows the daemon with its version, the number of live users, what keeps the UIDs of ended users reserved, and whether the name service of this host and the user database of systemd ask the daemon. If something is wrong, it says what to do.',
      'The exit status is 1 if the daemon cannot be reached.',
    ],
    options: [],
    examples: ['dynuserctl status'],
    load: async () => (await import('./verbs/status.ts')).status,
  },
  {
    verb: 'check',
    operands: ['UNIT...'],
    summary: 'Say whether dynuser-run takes unit files, and why not',
    description: [
      'Judges unit files by their paths, with their drop-ins, and runs nothing. It needs neither root nor the daemon; what root alone can read counts as missing. dynuser-run --check is the same.',
      'For each unit it shows the verdict; what is refused, with the reason; what is ignored, as with systemd, because it is bad or unknown; what is left to the supervisor; and a condition that does not hold on this host. Environment files and accounts that this host lacks refuse no unit.',
      'JSON is one array of objects with "unit", "verdict" ("accepted" or "refused"), the lists "refused", "ignored" and "left", and, if a condition does not hold, "skipped".',
      'The exit status is 1 if a unit is refused.',
    ],
    options: [{ name: 'instance', value: 'NAME', help: 'The instance of templates; "instance" unless given' }],
    examples: ['dynuserctl check /etc/systemd/system/*.service', 'dynuserctl --json=short check web@.service'],
    load: async () => (await import('./verbs/check.ts')).check,
  },
  {
    verb: 'image',
    operands: ['ACTION', '[IMAGE]', '[PREFIX...]'],
    actions: IMAGE_ACTIONS,
    summary: 'Attach portable services',
    description: [
      'Attaches the services of an image, as portablectl(1) does, to systemd, OpenRC, runit or s6. An image is the directory of a system, with units, or a disk image of one. It is named by its path, or by its name in /etc/portables, /run/portables, /var/lib/portables, /usr/local/lib/portables or /usr/lib/portables.',
      'ACTION is inspect, attach, reattach, detach, is-attached or list.',
      'inspect shows what would be attached, and which commands root would run outside of the image ("+"); it changes nothing. Its exit status is 1 if dynuser-run would not start a unit.',
      'attach takes the units out whose names begin with a prefix: the name of the image up to the first "_" unless prefixes are given. PORTABLE_PREFIXES= in the os-release file of the image says which are allowed. Each service has the image as its root directory, and the settings of a profile: default, nonetwork, strict, trusted, or one of the host. systemd gets the units, in /etc/systemd/system.attached. Other managers get a service for each service unit, which starts dynuser-run with it; units of other types and templates without instances are left out, and standard error says so.',
      'With --extension another image is laid over the first, as by ExtensionDirectories= or ExtensionImages=: its /usr and /opt, or its /etc. Its extension-release file must say that it is for the system of the first image: ID=, and VERSION_ID= or SYSEXT_LEVEL= as in its os-release file. Units are taken out of it, too, and they alone see what is laid over the image. The prefixes that either image allows are allowed. The name of such an attachment is those of all images, with ":" between them. It is detached by that name, or with the same extensions.',
      'For systemd, attach refuses if a unit of the image runs already, or if the host has a unit of its name. With --force it attaches all the same, and replaces units of these names in system.attached. With --force it also takes an extension in a disk image whose extension-release file has another name than the image.',
      'detach removes what attach has made, and nothing else. If something of it has been changed, or while services run, it refuses. With --force, systemd and OpenRC leave services that run alone; with runit and s6 they must have been stopped all the same.',
      'reattach puts an image in the place of the one that is attached to the same manager under the same name up to the first "_", such as another version, or the same one after it was replaced. With systemd and OpenRC services that run are left alone, or started again with --now; those that the new image does not have must have been stopped, unless --force is given. With runit and s6 all services must have been stopped, or --now stops and starts them. If the new image cannot be attached, the former one stays.',
      'is-attached prints the state of an image, as list has it. Its exit status is 1 if that is "detached".',
      'list shows the images that have a name or are attached, with their state: detached, attached, running, unfinished (its attach or detach was killed: the next one removes what is left), or portablectl, which has attached it.',
      'Nobody but root may be able to change the image. No symlink leads out of it while it is read. An attach that fails leaves nothing.',
      'JSON of inspect is an object with "image", "units" and their verdicts; that of list an array.',
    ],
    options: [
      {
        name: 'manager',
        value: 'MANAGER',
        choices: MANAGERS,
        help: 'The service manager; the one that runs unless given',
      },
      {
        name: 'extension',
        value: 'IMAGE',
        isPath: true,
        repeatable: true,
        help: 'An image that is laid over the other one; the last is above those before',
      },
      { name: 'profile', value: 'PROFILE', help: 'The profile of the services; default unless given' },
      {
        name: 'instance',
        value: 'NAME',
        repeatable: true,
        help: 'An instance of each template, if the manager has no templates',
      },
      { name: 'enable', help: 'Have the services started at boot' },
      {
        name: 'now',
        help: 'Start the services after attach, start them again after reattach, or stop them before detach',
      },
      {
        name: 'clean',
        help: 'With detach, remove the configuration, state, logs, cache and runtime directories of the services, too',
      },
      { name: 'force', help: 'Attach although units of these names run or exist, or detach while services run' },
      { name: 'runtime', help: 'Attach until the next boot; with systemd alone' },
      { name: 'no-reload', help: 'Do not tell the service manager' },
      { name: 'cat', help: 'Show the os-release file and the units themselves' },
    ],
    examples: [
      'dynuserctl image inspect ./web_1.2',
      'dynuserctl image attach --enable --now /srv/web_1.2',
      'dynuserctl image attach --extension=/srv/plugins_1.raw /srv/base_13.raw web',
      'dynuserctl image reattach --now /srv/web_1.3',
      'dynuserctl image detach --now web_1.3',
    ],
    load: async () => (await import('./verbs/image.ts')).image,
  },
  {
    verb: 'history',
    operands: ['[NAME|UID]'],
    summary: 'Show who had which UID',
    description: [
      'Shows which dynamic users had which UIDs, from when to when, for which unit, and the UID that asked (BY); of one name or UID, or all. It reads the files below /var/lib/dynuser/history, which only root can, and needs no daemon.',
      'With --at it shows who had the UIDs at one time. With --file it shows who had the UID of the owner of a file when the inode of the file was changed last. If the clock was set back, a time can have two answers.',
      'A time is "2026-11-28 09:15" in the time zone of this command, "2026-11-28T09:15:00Z", "@1764321300" in seconds since the epoch, "-2h", "3 days ago", "today", "yesterday" or "now".',
      'A user whose end nobody saw, because the daemon was killed, ended "before" the time that is shown. A user that has lost its UID is shown as "lost".',
      'With --html it writes a page for a browser, with the range as a map and a timeline that can be zoomed and searched. The page is one file, needs no network, and only its owner can read it; "-" is standard output.',
      'JSON is one array; "since" and "until" are in microseconds since the epoch. The exit status is 1 if there was no such user.',
    ],
    options: [
      { name: 'at', value: 'TIME', help: 'Who had the UID at this time' },
      { name: 'since', value: 'TIME', help: 'Leave out users that had ended before' },
      { name: 'until', value: 'TIME', help: 'Leave out users that came later' },
      {
        name: 'file',
        value: 'PATH',
        isPath: true,
        help: 'Who had the UID of the owner of a file when it was changed; symlinks are not followed',
      },
      { name: 'html', value: 'FILE', isPath: true, help: 'Write a page for a browser' },
    ],
    examples: [
      'dynuserctl history web',
      'dynuserctl history 64642 --at="2026-11-28 09:15"',
      'dynuserctl history --file=/var/tmp/leftover',
      'dynuserctl history --since=-7d --html=history.html',
      'dynuserctl --json=short history --since=-7d',
    ],
    load: async () => (await import('./verbs/history.ts')).history,
  },
  {
    verb: 'orphans',
    operands: ['[PATH...]'],
    summary: 'Find files of former users',
    description: [
      'Finds files whose owner is a UID of the range that no user has, and says whose they were by the history. It deletes nothing. Only root can see all files.',
      'A directory that waits for its next user is not an orphan, nor is anything in it that has the same owner: /var/lib/private/web, for example, and directories below /var/cache, /var/log and /run.',
      'Without a path it searches the file systems that services usually write to: /, /home, /opt, /srv, /tmp, /usr, /var, /run and /dev/shm. It follows no symlinks, and enters no other file systems below a path unless --all-file-systems asks for it. A terminal shows the progress.',
      'A tree of one owner is one line, with its top. With --adopt, the files of former users of a name are given to the user of that name, which must be live. They lose setuid and setgid bits and ACLs, as in every handover. A file that changes meanwhile stays as it is.',
      'JSON is one array of objects with "uid", "formerUser" if it is known, "files" and "path".',
    ],
    options: [
      { name: 'all-file-systems', help: 'Search the file systems that are mounted below the paths, too' },
      { name: 'adopt', value: 'NAME', help: 'Give the files of former users of this name to its live user' },
    ],
    examples: [
      'dynuserctl orphans',
      'dynuserctl orphans /srv --all-file-systems',
      'dynuserctl orphans /var/tmp --adopt=web',
    ],
    load: async () => (await import('./verbs/orphans.ts')).orphans,
  },
  {
    verb: 'fleet',
    operands: ['ACTION', '[ARGUMENT...]'],
    actions: FLEET_ACTIONS,
    summary: 'One UID for a name on every host that shares storage',
    description: [
      "Looks after a fleet: hosts on which a name has the same UID. Which names are the fleet's is set in dynuserd.conf(5); dynuser-fleetd(8) holds the connection to the store. Root alone may use it.",
      'create makes the fleet in the store, once for all hosts, with the UIDs of FleetUidRange= unless --range names others. join waits until this host is a member, which it becomes by itself, or says why it does not. leave ends that, and refuses while users of the fleet live here.',
      'hosts shows the hosts, and how many names each holds: which it may run processes as, at any time and without asking. "away" is a host that was not heard from for a minute; it keeps what it holds. names shows the names with their UIDs, and the hosts that hold them; all, or those that match patterns. explain NAME shows one name, as this host has it.',
      'forget NAME ends the hold of this host on a name; the next use of the name here asks the store. gc frees the names that no host holds and that have no directory on shared storage: the UID of each is given to no other name for a week.',
      'forget-host HOST gives up a host that is powered off and does not come back, and takes its names from it. Nobody else can know that it is off, so it needs --powered-off. A host that returns all the same ends those of its users whose names have been given to others.',
      'check compares what the store has with what the hosts hold, and says whether this host is a member. The exit status is 1 if something is wrong. doctor looks at this host: whether it needs a fleet, the companion, its certificates, accounts with numbers of the fleet. resume ends the state after a restore of the store from a backup, once all hosts have put their names again. free-directory STORAGE PATH tells the store that the files of a directory on shared storage are gone.',
      'JSON of hosts, names, gc and doctor is an array, that of explain and check an object.',
    ],
    options: [
      { name: 'range', value: 'RANGE', help: 'The UIDs of the fleet that create makes, instead of FleetUidRange=' },
      { name: 'powered-off', help: 'You have seen that the host to forget is off' },
    ],
    examples: [
      'dynuserctl fleet create',
      'dynuserctl fleet hosts',
      "dynuserctl fleet names 'web*'",
      'dynuserctl fleet forget-host db3 --powered-off',
      'dynuserctl --json=short fleet check',
    ],
    load: async () => (await import('./verbs/fleet.ts')).fleet,
  },
  {
    verb: 'doctor',
    operands: [],
    summary: 'Check the host, and say what to do about each problem',
    description: [
      'Checks the daemon, its rights, namespaces and helper, the accounts that it allows, the runtime directory and the free space in it, nsswitch.conf and the NSS module with a live user, sources of accounts that need the network, the user database of systemd, who else may use UIDs of the range, the directories of users and their file systems, the fleet, users that do not end, and the system bus. Changes nothing without --try. Every wait is bounded.',
      'With --try it also acquires a user with a random name, looks it up while it lives, and releases it. The lease ends with this command, even if it is interrupted or killed.',
      'Each check is ok, a warning, a problem, or unknown if this user or this host does not show it; run it as root to see everything. JSON is an array of objects with "check", "level", "finding" and, if there is something to do, "advice".',
      'The exit status is 1 if there is a problem.',
    ],
    options: [{ name: 'try', help: 'Acquire a user for a moment, look it up, and release it' }],
    examples: ['dynuserctl doctor', 'dynuserctl doctor --try', 'dynuserctl --json=short doctor'],
    load: async () => (await import('./verbs/doctor.ts')).doctor,
  },
  {
    verb: 'reload',
    operands: [],
    summary: 'Have the daemon read its configuration again',
    description: [
      'Has the daemon read its configuration again, as SIGHUP does, and says which settings have changed, and which change at its next start alone. Only root may ask for it.',
      'If the configuration is wrong, nothing of it is used: the answer says what is wrong, and the exit status is 1. dynuserd --check-config says so before.',
      'JSON is an object with the lists "applied" and "deferred".',
    ],
    options: [],
    examples: ['dynuserctl reload'],
    load: async () => (await import('./verbs/reload.ts')).reload,
  },
  {
    verb: 'metrics',
    operands: [],
    summary: 'Print what the daemon has counted, for programs that collect metrics',
    description: [
      'Prints users by their state, the range and what is free of it, requests by their result, what showed that UIDs are in use, how long requests, examinations and handovers took, lookups, connections, and restarts of helpers, as OpenMetrics text. Counts begin with the start of the daemon. No name or UID is in it, and everybody may ask.',
      'systemd-report(1) finds the same at /run/systemd/report/io.dynuser. For the textfile collector of node_exporter, write the output of --format=prometheus into its directory with a timer.',
      'JSON is an array of the families, with their values.',
    ],
    options: [
      {
        name: 'format',
        value: 'openmetrics|prometheus',
        choices: ['openmetrics', 'prometheus'],
        help: 'The text format: OpenMetrics (unless given), or the older one of Prometheus',
      },
    ],
    examples: ['dynuserctl metrics', 'dynuserctl metrics --format=prometheus'],
    load: async () => (await import('./verbs/metrics.ts')).metrics,
  },
  {
    verb: 'help',
    operands: ['[COMMAND]'],
    summary: 'Show what there is, or what a command does',
    description: ['Shows the same as --help.'],
    options: [],
    examples: ['dynuserctl help release'],
    load: async () => (await import('./verbs/help.ts')).helpOf(COMMAND_TABLE),
  },
  {
    verb: 'version',
    operands: [],
    summary: 'Show the version, and the commit that it was built from',
    description: [
      'Shows the version, and in parentheses the commit that it was built from, with "+" if the checkout had changes, as far as the build knew it.',
      'JSON is an object with "program", "version" and "commit".',
    ],
    options: [],
    examples: ['dynuserctl version'],
    load: async () => (await import('./verbs/version.ts')).version,
  },
];

export const COMMAND_TABLE: CommandTable = { commands: COMMANDS, options: GLOBAL_OPTIONS };
