/**
 * The settings of [Service] that systemd knows and a launcher does not carry out, in three sorts: those that are about
 * the service manager alone, those without which a service runs otherwise than it would, and those that protect.
 */
import { asBoolean } from '../syntax/values.ts';

/** What only a service manager does, after or around the process: whoever supervises the launcher has its own way. */
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

/** Resources and neighbours: the service is as safe without them, but not as it would be. */
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
  BindLogSockets MountFlags PrivateMounts NetworkNamespacePath IPCNamespacePath PrivatePIDs
  ProtectHostname ProtectClock ProtectKernelTunables ProtectKernelModules ProtectKernelLogs ProtectControlGroups
  RestrictAddressFamilies RestrictFileSystems RestrictNamespaces LockPersonality
  MemoryDenyWriteExecute RestrictRealtime SystemCallFilter SystemCallErrorNumber SystemCallArchitectures SystemCallLog
  NoExecPaths ExecPaths SecureBits Capabilities SELinuxContext AppArmorProfile SmackProcessLabel PAMName MemoryKSM
  IPAddressAllow IPAddressDeny IPIngressFilterPath IPEgressFilterPath BPFProgram SocketBindAllow SocketBindDeny
  RestrictNetworkInterfaces NFTSet DevicePolicy DeviceAllow LoadCredential LoadCredentialEncrypted SetCredential
  SetCredentialEncrypted ImportCredential UserNamespacePath PrivateBPF DelegateNamespaces
  StateDirectoryQuota CacheDirectoryQuota LogsDirectoryQuota StateDirectoryAccounting
`);

export type UnsupportedKind = 'manager' | 'difference' | 'protection';

/** @returns the sort of a setting of systemd that is not carried out; undefined where systemd knows none of that name */
export function classify(name: string): UnsupportedKind | undefined {
  return MANAGERS.has(name)
    ? 'manager'
    : DIFFERENCES.has(name)
      ? 'difference'
      : PROTECTIONS.has(name)
        ? 'protection'
        : undefined;
}

/** @returns the value that a launch has in any case; undefined where it is no such setting */
export function fixedValue(name: string): string | undefined {
  return ALWAYS.get(name);
}

/** Whether a protection is switched off by its value, so that leaving it out changes nothing. */
export function isOff(value: string): boolean {
  return value === '' || asBoolean(value) === false;
}

export function unsupportedNames(): string[] {
  return [...MANAGERS, ...DIFFERENCES, ...PROTECTIONS];
}

function names(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}
