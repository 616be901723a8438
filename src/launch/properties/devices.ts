/** Which devices the service may use (systemd.resource-control(5), DeviceAllow=, DevicePolicy=). */
import { quote } from '../errors.ts';
import { MKNOD_CAPABILITY } from '../syntax/capabilities.ts';
import { readPath, type ValueContext } from '../syntax/values.ts';
import { list, word, wordsOf } from './property.ts';

/** An entry of DeviceAllow=. */
export interface DeviceRule {
  /** the path of a device, or "char-" or "block-" and a pattern of fnmatch(3) for groups of /proc/devices */
  readonly specifier: string;
  readonly read: boolean;
  readonly write: boolean;
}

const ROW = {
  needs: 'mounts',
  lost: 'all devices are there, each as open as its mode',
  dropsCapabilities: MKNOD_CAPABILITY,
} as const;

export const DEVICES = {
  DeviceAllow: list(readRule, {
    ...ROW,
    manual:
      'PATH or char-GROUP or block-GROUP, with r, w, m: a device that /dev has besides those of DevicePolicy=closed. Takes CAP_MKNOD away.',
  }),
  DevicePolicy: word(['auto', 'closed', 'strict'], {
    ...ROW,
    manual:
      'closed: /dev has terminals, devices such as /dev/null, and those of DeviceAllow=. strict: these alone. auto: all, or closed.',
    meaning: '/dev has only the devices that are allowed',
  }),
};

function readRule(text: string, context: ValueContext): DeviceRule[] {
  const { fail, expand } = context;
  const [first = '', rights = 'rwm', more] = wordsOf(text, 'plain', context);
  const name = expand(first);
  const specifier = /^(?:char|block)-./.test(name) ? name : readPath(name, fail);
  if (!/^(?:char|block)-/.test(specifier) && !specifier.startsWith('/dev/')) {
    fail(`not a device: ${quote(name)}; use a path below /dev, char-GROUP or block-GROUP`);
  }
  if (more !== undefined || !/^[rwm]+$/.test(rights)) {
    fail(`not rights to a device: ${quote(text)}; use r, w and m after it, or nothing for all of them`);
  }
  return [{ specifier, read: rights.includes('r'), write: rights.includes('w') }];
}
