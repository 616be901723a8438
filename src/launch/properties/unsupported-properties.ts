/** The settings that systemd knows and a launch does not carry out, and what becomes of a launch that has one of them. */
import { nearest } from '../../core/nearest.ts';
import { failFor, quote } from '../errors.ts';
import { REFUSED_SHOWN_MAX } from '../limits.ts';
import { type Assignment, fieldOf } from '../syntax/unit-file.ts';
import { asBoolean } from '../syntax/values.ts';
import { isCarriedOut, PROPERTY_NAMES } from './table.ts';

/** What only a service manager does, around the process: the supervisor of the launcher has its own way. */
const MANAGERS = names(`
  GuessMainPID PIDFile BusName Sockets NonBlocking OOMPolicy
  FileDescriptorStoreMax FileDescriptorStorePreserve USBFunctionDescriptors USBFunctionStrings
  Restart RestartSec RestartSteps RestartMaxDelaySec RestartMode RestartPreventExitStatus RestartForceExitStatus
  RestartKillSignal ExitType StartLimitInterval StartLimitBurst StartLimitAction StartLimitIntervalSec
  TimeoutStartSec TimeoutAbortSec TimeoutStartFailureMode TimeoutStopFailureMode
  TimeoutCleanSec WatchdogSignal FailureAction SuccessAction
  RebootArgument
  LogLevelMax LogExtraFields
  LogRateLimitIntervalSec LogRateLimitBurst LogFilterPatterns LogNamespace UtmpIdentifier UtmpMode Slice SurviveFinalKillSignal
  CPUAccounting MemoryAccounting IOAccounting TasksAccounting IPAccounting BlockIOAccounting DelegateSubgroup
  ManagedOOMSwap ManagedOOMMemoryPressure ManagedOOMMemoryPressureLimit ManagedOOMMemoryPressureDurationSec
  ManagedOOMPreference MemoryPressureWatch MemoryPressureThresholdSec CoredumpReceive
`);

/** The service is as safe without them, but runs differently: how, if they are on. */
const DIFFERENCES: ReadonlyMap<string, string> = new Map([['RemainAfterExit', 'a service ends with its process here']]);

/** What OpenRC, runit, s6 and containers each have their own way for. */
const CONTROL_GROUPS = names(`
  Delegate CPUWeight StartupCPUWeight CPUQuota CPUQuotaPeriodSec
  AllowedCPUs StartupAllowedCPUs AllowedMemoryNodes StartupAllowedMemoryNodes MemoryMin MemoryLow StartupMemoryLow
  MemoryHigh StartupMemoryHigh MemoryMax StartupMemoryMax MemorySwapMax StartupMemorySwapMax MemoryZSwapMax
  StartupMemoryZSwapMax MemoryZSwapWriteback MemoryLimit DefaultMemoryLow DefaultMemoryMin DefaultStartupMemoryLow
  TasksMax IOWeight StartupIOWeight IODeviceWeight IOReadBandwidthMax IOWriteBandwidthMax IOReadIOPSMax IOWriteIOPSMax
  IODeviceLatencyTargetSec CPUShares StartupCPUShares BlockIOWeight StartupBlockIOWeight BlockIODeviceWeight
  BlockIOReadBandwidth BlockIOWriteBandwidth DisableControllers
`);

/** What systemd 257 ignores, too, with a warning. */
const OBSOLETE = names('Capabilities NetClass SysVStartPriority BusPolicy');

/** Without these the service could do more than its unit file allows, or would lack what the unit file gives it. */
const PROTECTIONS = names(`
  RootHash RootHashSignature RootVerity
  PrivatePIDs RestrictFileSystems PAMName
  IPIngressFilterPath IPEgressFilterPath BPFProgram NFTSet
  UserNamespacePath PrivateBPF DelegateNamespaces
`);

/** Why a protection is not supported, if there is more to say than that it is not implemented. */
const REASONS: ReadonlyMap<string, string> = new Map(
  (
    [
      [
        'RootHash RootHashSignature RootVerity',
        'images are not verified here, for want of a kernel with dm-verity to try it on; leave it out if the image is trusted',
      ],
      [
        'BPFProgram IPIngressFilterPath IPEgressFilterPath RestrictFileSystems NFTSet',
        'it is a part of a control group, and control groups are left to what starts the launcher',
      ],
      ['PrivatePIDs', "the service is the launcher's own process, and no process leaves its PID namespace"],
      ['PAMName', 'a PAM session needs a process that stays to close it; log in by another program'],
      ['UserNamespacePath PrivateBPF DelegateNamespaces', 'systemd has it since version 258'],
    ] as const
  ).flatMap(([list, reason]) => [...names(list)].map(name => [name, reason] as const)),
);

/** Settings of other sections of a unit file. In their own section they are not read. */
const OTHER_SECTIONS = names(`
  Description Documentation Wants Requires Requisite BindsTo PartOf Upholds Conflicts Before After OnFailure OnSuccess
  PropagatesReloadTo ReloadPropagatedFrom PropagatesStopTo StopPropagatedFrom JoinsNamespaceOf RequiresMountsFor
  WantsMountsFor OnSuccessJobMode OnFailureJobMode IgnoreOnIsolate StopWhenUnneeded RefuseManualStart RefuseManualStop
  AllowIsolate DefaultDependencies CollectMode FailureActionExitStatus SuccessActionExitStatus JobTimeoutSec
  JobRunningTimeoutSec JobTimeoutAction JobTimeoutRebootArgument SourcePath
  BindTo PropagateReloadTo PropagateReloadFrom RequiresOverridable RequisiteOverridable OnFailureIsolate
  Alias WantedBy RequiredBy UpheldBy Also DefaultInstance
`);
const CONDITION = /^(?:Condition|Assert)[A-Z][A-Za-z0-9]*$/;

/**
 * manager: passed over in silence. difference: a warning, unless the value turns it off. group: the same, one for all of them. obsolete: a warning. protection: refused, unless the value turns it off. section: of [Unit] or
 * [Install]; refused on the command line
 */
type UnsupportedKind = 'manager' | 'difference' | 'group' | 'obsolete' | 'protection' | 'section';

const KINDS: readonly (readonly [UnsupportedKind, Pick<ReadonlySet<string>, 'has' | 'keys'>])[] = [
  ['manager', MANAGERS],
  ['difference', DIFFERENCES],
  ['group', CONTROL_GROUPS],
  ['obsolete', OBSOLETE],
  ['protection', PROTECTIONS],
  ['section', OTHER_SECTIONS],
];

/** @returns undefined if systemd has no setting of that name */
function kindOf(name: string): UnsupportedKind | undefined {
  return KINDS.find(([, names]) => names.has(name))?.[0] ?? (CONDITION.test(name) ? 'section' : undefined);
}

export interface UnsupportedOptions {
  /** --ignore-unknown: what would be refused is a warning, as it is for unknown properties of a unit file */
  readonly ignoreUnknown: boolean;
  /** what would be refused is only returned */
  readonly isJudged?: boolean;
  readonly warn: (text: string) => void;
}

export interface SelectedAssignments {
  /** the assignments that are carried out, in their order */
  readonly carriedOut: readonly Assignment[];
  /** the names of those that are left to what supervises the launcher, and to what makes control groups */
  readonly left: readonly string[];
  /** what a launch goes without because of --ignore-unknown, or would be refused for: in words */
  readonly refused: readonly string[];
}

/** @throws DynuserError LaunchFailed that names all properties that are not supported or not known */
export function selectSupported(
  assignments: readonly Assignment[],
  { ignoreUnknown, isJudged = false, warn }: UnsupportedOptions,
): SelectedAssignments {
  const carriedOut = assignments.filter(({ name }) => isCarriedOut(name));
  const others = assignments.filter(({ name }) => !isCarriedOut(name) && !name.startsWith('X-'));
  const ofKind = (...kinds: readonly (UnsupportedKind | undefined)[]) =>
    others.filter(({ name }) => kinds.includes(kindOf(name)));
  const onOfKind = (kind: UnsupportedKind) => ofKind(kind).filter(({ value }) => !isOff(value));
  for (const assignment of onOfKind('difference')) {
    warn(`${fieldOf(assignment)}= is ignored: ${DIFFERENCES.get(assignment.name)}`);
  }
  const groups = namesOf(onOfKind('group'));
  if (groups.length > 0) {
    warn(`control groups are left to what starts the launcher: ${groups.map(name => `${name}=`).join(', ')}`);
  }
  for (const assignment of ofKind('obsolete')) {
    warn(`${fieldOf(assignment)}= is ignored: it is obsolete, and systemd ignores it, too`);
  }
  // Of a unit file, systemd ignores what it does not know.
  const unknown = ofKind('section', undefined);
  for (const assignment of unknown.filter(({ origin }) => ignoreUnknown || origin !== undefined)) {
    const reason = kindOf(assignment.name) === 'section' ? 'a setting of [Unit] or [Install]' : 'unknown';
    const hint = kindOf(assignment.name) === undefined ? meantWords(assignment.name) : '';
    warn(`${fieldOf(assignment)}= is ignored: it is ${reason}${hint}`);
  }
  const protections = onOfKind('protection');
  for (const assignment of ignoreUnknown && !isJudged ? protections : []) {
    warn(`${fieldOf(assignment)}= is ignored: ${REASONS.get(assignment.name) ?? 'it is not supported'}`);
  }
  const refused =
    ignoreUnknown || isJudged ? [] : [...protections, ...unknown.filter(({ origin }) => origin === undefined)];
  if (refused.length > 0) {
    refuse(refused);
  }
  return {
    carriedOut,
    left: [...namesOf(ofKind('manager')), ...groups],
    refused: once(protections).map(one => `unsupported property ${unsupportedWords(one)}`),
  };
}

/** What turns a property off, so that nothing is missing without it. */
function isOff(value: string): boolean {
  return value === '' || asBoolean(value) === false;
}

/** @returns the first assignment of each name */
function once(list: readonly Assignment[]): Assignment[] {
  return list.filter((one, index) => list.findIndex(({ name }) => name === one.name) === index);
}

function namesOf(list: readonly Assignment[]): string[] {
  return once(list).map(({ name }) => name);
}

/** One sentence for all of them, each by the place of its first assignment. */
function refuse(refused: readonly Assignment[]): never {
  const all = once(refused);
  const ofKind = (kind: 'protection' | 'section' | undefined) => all.filter(({ name }) => kindOf(name) === kind);
  const unsupported = ofKind('protection');
  const parts = [
    ...listWords('unsupported', unsupported, unsupportedWords),
    ...listWords('unknown', ofKind(undefined), unknownWords),
    ...listWords('[Unit] or [Install]', ofKind('section'), unsupportedWords),
  ];
  const it = all.length === 1 ? 'it' : 'them';
  const way =
    unsupported.length === 0
      ? `use --ignore-unknown to skip ${it}`
      : `use --ignore-unknown to run without ${it}, less protected than the service is meant to be`;
  return failFor('properties')(`${parts.join(', ')}; ${way}`);
}

function listWords(adjective: string, list: readonly Assignment[], words: (one: Assignment) => string): string[] {
  if (list.length === 0) {
    return [];
  }
  const more = list.length > REFUSED_SHOWN_MAX ? ` and ${list.length - REFUSED_SHOWN_MAX} more` : '';
  const names = list.slice(0, REFUSED_SHOWN_MAX).map(words).join(', ');
  return [`${adjective} ${list.length === 1 ? 'property' : 'properties'} ${names}${more}`];
}

function unsupportedWords({ name, origin }: Assignment): string {
  const notes = [origin, REASONS.get(name)].filter(note => note !== undefined);
  return notes.length === 0 ? `${name}=` : `${name}= (${notes.join(': ')})`;
}

function unknownWords({ name }: Assignment): string {
  return `${quote(name)}${meantWords(name)}`;
}

/** What a name may have been meant to be, in words. */
function meantWords(name: string): string {
  const others = KINDS.flatMap(([, names]) => [...names.keys()]);
  const meant = nearest(name, PROPERTY_NAMES) ?? nearest(name, others);
  return meant === undefined ? '' : ` (did you mean ${meant}=?)`;
}

function names(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}
