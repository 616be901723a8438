/** What a release said on the wire: launches that its launcher asked for, and the plans that its daemon answered with. */
import { readFileSync } from 'node:fs';
import type { LaunchPlan } from '../../src/api/generated/io-dynuser-allocator.ts';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import type { JsonObject } from '../../src/varlink/json.ts';

export const RELEASES = 'test/contract/releases';

export interface RecordedLaunch {
  readonly argv: readonly string[];
  /** of its last call of Launch, with all answers */
  readonly request: JsonObject;
  readonly plan: LaunchPlan;
}

/** The launches of each release: plain, and with all that a hardened service has. */
export const RECORDED: Readonly<Record<string, readonly string[]>> = {
  plain: ['-u', 'recorded', '--', 'id', '-u'],
  hardened: [
    ...['-u', 'recorded', '-p', 'ProtectHome=yes', '-p', 'PrivateTmp=yes', '-p', 'PrivateDevices=yes'],
    ...['-p', 'PrivateNetwork=yes', '-p', 'SystemCallFilter=@system-service', '-p', 'MemoryDenyWriteExecute=yes'],
    ...['-p', 'RestrictAddressFamilies=AF_UNIX', '-p', 'LimitNOFILE=512', '-p', 'Environment=A=b', '--', 'id', '-u'],
  ],
};

export function recordedLaunches(version: string): Readonly<Record<string, RecordedLaunch>> {
  return JSON.parse(readFileSync(`${CHECKOUT}${RELEASES}/${version}.json`, 'utf8'));
}
