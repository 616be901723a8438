/** The settings that systemd knows and a launch does not carry out, and what becomes of a launch that has one of them. */
import { asBoolean } from '../syntax/values.ts';

/** What only a service manager does, around the process: whoever supervises the launcher has its own way. */
const MANAGERS = names(`
  RemainAfterExit GuessMainPID PIDFile BusName NotifyAccess Sockets NonBlocking OOMPolicy ReloadSignal
  FileDescriptorStoreMax FileDescriptorStorePreserve USBFunctionDescriptors USBFunctionStrings RootDirectoryStartOnly
  Restart RestartSec RestartSteps RestartMaxDelaySec RestartMode RestartPreventExitStatus RestartForceExitStatus
  RestartKillSignal SuccessExitStatus ExitType StartLimitInterval StartLimitBurst StartLimitAction StartLimitIntervalSec
  TimeoutSec TimeoutStartSec TimeoutStopSec TimeoutAbortSec TimeoutStartFailureMode TimeoutStopFailureMode
  TimeoutCleanSec RuntimeMaxSec RuntimeRandomizedExtraSec WatchdogSec WatchdogSignal FailureAction SuccessAction
  RebootArgument ExecReload KillMode KillSignal FinalKillSignal SendSIGHUP SendSIGKILL
  StandardInput StandardOutput StandardError StandardInputText StandardInputData TTYPath TTYReset TTYVHangup TTYRows
  TTYColumns TTYVTDisallocate SyslogIdentifier SyslogFacility SyslogLevel SyslogLevelPrefix LogLevelMax LogExtraFields
  LogRateLimitIntervalSec LogRateLimitBurst LogFilterPatterns LogNamespace UtmpIdentifier UtmpMode Slice SurviveFinalKillSignal
  CPUAccounting MemoryAccounting IOAccounting TasksAccounting IPAccounting BlockIOAccounting Delegate DelegateSubgroup
  ManagedOOMSwap ManagedOOMMemoryPressure ManagedOOMMemoryPressureLimit ManagedOOMMemoryPressureDurationSec
  ManagedOOMPreference MemoryPressureWatch MemoryPressureThresholdSec CoredumpReceive CoredumpFilter
`);

/** What is the same for every program that is launched, with the value that says so. */
const ALWAYS: ReadonlyMap<string, string> = new Map([
  ['KeyringMode', 'private'],
  ['IgnoreSIGPIPE', 'no'],
]);

/** Resources and other commands: the service is as safe without them, but runs otherwise. */
const DIFFERENCES = names(`
  ExecStartPost ExecStop ExecStopPost ExecSearchPath OpenFile Nice OOMScoreAdjust IOSchedulingClass IOSchedulingPriority
  CPUSchedulingPolicy CPUSchedulingPriority CPUSchedulingResetOnFork CPUAffinity NUMAPolicy NUMAMask TimerSlackNSec
  Personality IgnoreSIGPIPE LimitCPU LimitFSIZE LimitDATA LimitSTACK LimitCORE LimitRSS LimitNOFILE LimitAS LimitNPROC
  LimitMEMLOCK LimitLOCKS LimitSIGPENDING LimitMSGQUEUE LimitNICE LimitRTPRIO LimitRTTIME CPUWeight StartupCPUWeight
  CPUQuota CPUQuotaPeriodSec AllowedCPUs StartupAllowedCPUs AllowedMemoryNodes StartupAllowedMemoryNodes MemoryMin
  MemoryLow StartupMemoryLow MemoryHigh StartupMemoryHigh MemoryMax StartupMemoryMax MemorySwapMax StartupMemorySwapMax
  MemoryZSwapMax StartupMemoryZSwapMax MemoryZSwapWriteback MemoryLimit DefaultMemoryLow DefaultMemoryMin
  DefaultStartupMemoryLow TasksMax IOWeight StartupIOWeight IODeviceWeight IOReadBandwidthMax IOWriteBandwidthMax
  IOReadIOPSMax IOWriteIOPSMax IODeviceLatencyTargetSec CPUShares StartupCPUShares BlockIOWeight StartupBlockIOWeight
  BlockIODeviceWeight BlockIOReadBandwidth BlockIOWriteBandwidth DisableControllers NetClass KeyringMode
`);

/** Without these the service could do more than its unit file allows, or runs without what it was given. */
const PROTECTIONS = names(`
  ExecCondition PermissionsStartOnly RootImage RootImageOptions RootImagePolicy RootHash RootHashSignature RootVerity
  RootEphemeral MountImages MountImagePolicy ExtensionImages ExtensionImagePolicy ExtensionDirectories MountAPIVFS
  BindLogSockets MountFlags NetworkNamespacePath IPCNamespacePath PrivatePIDs
  ProtectHostname ProtectClock ProtectKernelTunables ProtectKernelModules ProtectKernelLogs ProtectControlGroups
  RestrictAddressFamilies RestrictFileSystems RestrictNamespaces LockPersonality
  MemoryDenyWriteExecute RestrictRealtime SystemCallFilter SystemCallErrorNumber SystemCallArchitectures SystemCallLog
  NoExecPaths ExecPaths SecureBits Capabilities SELinuxContext AppArmorProfile SmackProcessLabel PAMName MemoryKSM
  IPAddressAllow IPAddressDeny IPIngressFilterPath IPEgressFilterPath BPFProgram SocketBindAllow SocketBindDeny
  RestrictNetworkInterfaces NFTSet DevicePolicy DeviceAllow LoadCredential LoadCredentialEncrypted SetCredential
  SetCredentialEncrypted ImportCredential UserNamespacePath PrivateBPF DelegateNamespaces
  StateDirectoryQuota CacheDirectoryQuota LogsDirectoryQuota StateDirectoryAccounting
`);

/** Of other sections of a unit file. In their own section they are not read. */
const OTHER_SECTIONS = names(`
  Description Documentation Wants Requires Requisite BindsTo PartOf Upholds Conflicts Before After OnFailure OnSuccess
  PropagatesReloadTo ReloadPropagatedFrom PropagatesStopTo StopPropagatedFrom JoinsNamespaceOf RequiresMountsFor
  WantsMountsFor OnSuccessJobMode OnFailureJobMode IgnoreOnIsolate StopWhenUnneeded RefuseManualStart RefuseManualStop
  AllowIsolate DefaultDependencies CollectMode FailureActionExitStatus SuccessActionExitStatus JobTimeoutSec
  JobRunningTimeoutSec JobTimeoutAction JobTimeoutRebootArgument SourcePath
  Alias WantedBy RequiredBy UpheldBy Also DefaultInstance
`);
const CONDITION = /^(?:Condition|Assert)[A-Z][A-Za-z0-9]*$/;

/**
 * manager: passed over in silence. difference: a warning, unless the value is what a launch does anyway.
 * protection: refused, unless the value turns it off. section: of [Unit] or [Install]; refused
 */
export type UnsupportedKind = 'manager' | 'difference' | 'protection' | 'section';

const KINDS: readonly (readonly [UnsupportedKind, ReadonlySet<string>])[] = [
  ['manager', MANAGERS],
  ['difference', DIFFERENCES],
  ['protection', PROTECTIONS],
  ['section', OTHER_SECTIONS],
];

/** @returns undefined if systemd has no setting of that name */
export function classify(name: string): UnsupportedKind | undefined {
  return KINDS.find(([, names]) => names.has(name))?.[0] ?? (CONDITION.test(name) ? 'section' : undefined);
}

/** @returns the value that every launch has; undefined if the setting is not one of these */
export function fixedValue(name: string): string | undefined {
  return ALWAYS.get(name);
}

/** Whether a protection is off with this value, so that ignoring it changes nothing. */
export function isOff(value: string): boolean {
  return value === '' || asBoolean(value) === false;
}

export function unsupportedNames(): string[] {
  return KINDS.flatMap(([, names]) => [...names]);
}

function names(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}
