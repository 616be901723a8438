/** What DynamicUser= implies (systemd.exec(5)). Unlike with systemd, each may be turned off by its name. Pure. */

import type { ExecSettings } from './exec-settings.ts';
import type { ParsedProperties } from './parsed-properties.ts';

type ImpliedSettings = Pick<
  ExecSettings,
  'protectSystem' | 'protectHome' | 'privateTmp' | 'removeIPC' | 'noNewPrivileges' | 'restrictSuidSgid'
>;

export interface ImpliedProperty {
  readonly name: string;
  readonly key: keyof ImpliedSettings;
  /** what the property does, in words */
  readonly meaning: string;
}

export const IMPLIED_PROPERTIES: readonly ImpliedProperty[] = [
  { name: 'ProtectSystem', key: 'protectSystem', meaning: 'the file system is read-only' },
  { name: 'ProtectHome', key: 'protectHome', meaning: '/home, /root and /run/user are protected' },
  { name: 'PrivateTmp', key: 'privateTmp', meaning: '/tmp and /var/tmp are its own, and go with it' },
  { name: 'RemoveIPC', key: 'removeIPC', meaning: 'its IPC objects go with it' },
  { name: 'NoNewPrivileges', key: 'noNewPrivileges', meaning: 'no program gives it privileges' },
  { name: 'RestrictSUIDSGID', key: 'restrictSuidSgid', meaning: 'it cannot make setuid or setgid files' },
];

/** @returns the settings, as they are with and without a dynamic user */
export function withImplied(parsed: ParsedProperties, dynamic: boolean): ImpliedSettings {
  const { protectSystem } = parsed;
  // A dynamic user's UID is another's later: a weaker value is made up to "strict", as with systemd, and "no" is a decision.
  const strict = dynamic && protectSystem !== 'no';
  return {
    protectSystem: strict ? 'strict' : (protectSystem ?? 'no'),
    protectHome: parsed.protectHome ?? (dynamic ? 'read-only' : 'no'),
    privateTmp: parsed.privateTmp ?? dynamic,
    removeIPC: parsed.removeIPC ?? dynamic,
    noNewPrivileges: parsed.noNewPrivileges ?? dynamic,
    restrictSuidSgid: parsed.restrictSuidSgid ?? dynamic,
  };
}

/** @returns the names of those that were set by name */
export function setByName(parsed: ParsedProperties): string[] {
  return IMPLIED_PROPERTIES.filter(({ key }) => parsed[key] !== undefined).map(({ name }) => name);
}
