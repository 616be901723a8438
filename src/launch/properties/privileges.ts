/** What the service may do beyond its user's rights (systemd.exec(5), "Capabilities", "Security"). */

import type { LaunchPlan } from '../../api/generated/io-dynuser-allocator.ts';
import { quote } from '../errors.ts';
import { ALL_CAPABILITIES, changeCapabilities, NO_CAPABILITIES, readCapability } from '../syntax/capabilities.ts';
import { readMode, type ValueContext } from '../syntax/values.ts';
import { boolean, entriesOf, filled, type Property, property, value, word } from './property.ts';

export const PRIVILEGES = {
  NoNewPrivileges: boolean({
    manual: 'No program gains privileges by being executed. On with a dynamic user.',
    implied: given => given ?? true,
    untrusted: 'yes',
    meaning: 'no program gives it privileges',
    plan: noNewPrivileges => ({ noNewPrivileges }),
  }),
  // systemd's units have it on unless they say otherwise; a program in a pipeline needs the signal.
  IgnoreSIGPIPE: boolean({
    manual: 'SIGPIPE is ignored.',
    meaning: 'to write to a pipe that nobody reads is an error, and ends nothing',
    plan: ignoreSigpipe => ({ ignoreSigpipe }),
  }),
  CapabilityBoundingSet: capabilities(ALL_CAPABILITIES, {
    manual: 'The capabilities that the service and its programs can have at most; ~ before a list takes these away.',
  }),
  AmbientCapabilities: capabilities(NO_CAPABILITIES, { manual: 'Capabilities that the service has as its user.' }),
  KeyringMode: word(['private', 'inherit', 'shared'], {
    manual:
      'The session keyring: private is a new one, inherit that of the launcher, shared a new one with a link to the keyring of the user.',
    untrusted: 'private',
    plan: keyring => (keyring === 'private' ? {} : { keyring }),
  }),
  SecureBits: property(0, readSecureBits, {
    manual:
      'How the kernel treats root and changes of the UID: keep-caps, no-setuid-fixup, noroot, and each with -locked at its end.',
    plan: secureBits => (secureBits === 0 ? {} : { secureBits }),
  }),
  SELinuxContext: label('SELinux', selinuxContext => ({ selinuxContext })),
  AppArmorProfile: label('AppArmor', apparmorProfile => ({ apparmorProfile })),
  SmackProcessLabel: label('Smack', smackLabel => ({ smackLabel })),
  UMask: property(0o022, filled(readMode), {
    manual: 'The file mode creation mask, in octal; 0022 by default.',
    plan: umask => ({ umask }),
  }),
};

const SECURE_BITS: readonly string[] = [
  ...['noroot', 'noroot-locked', 'no-setuid-fixup', 'no-setuid-fixup-locked', 'keep-caps', 'keep-caps-locked'],
];

/** The bits of capabilities(7), in the order of their numbers. */
function readSecureBits(text: string, previous: number | undefined, context: ValueContext): number | undefined {
  if (text === '') {
    return undefined;
  }
  const bits = entriesOf(text, 'plain', context, name => {
    const index = SECURE_BITS.indexOf(name);
    return index < 0 ? context.fail(`unknown bit: ${quote(name)}; use ${SECURE_BITS.join(', ')}`) : 1 << index;
  });
  return bits.reduce((all, bit) => all | bit, previous ?? 0);
}

function label(module: string, plan: (label: string) => Partial<LaunchPlan>): Property<string | undefined> {
  return value(
    (text, { expand, fail }) => {
      const expanded = expand(text);
      return /^-?[^\0\s]{1,4096}$/.test(expanded) ? expanded : fail(`not a label: ${quote(expanded)}; use one word`);
    },
    {
      manual: `What ${module} labels the service with, if the kernel has it; without it, nothing. With - in front a failure is ignored.`,
      plan: given => (given === undefined ? {} : plan(given)),
    },
  );
}

/** @param initial the set that the first assignment replaces */
function capabilities(initial: bigint, row: Pick<Property<bigint>, 'manual'>): Property<bigint> {
  return {
    ...row,
    default: initial,
    untrusted: '',
    read: (text, previous = initial, context) => {
      const inverted = text.startsWith('~');
      const named = entriesOf(inverted ? text.slice(1) : text, 'plain', context, word =>
        readCapability(word, context.fail),
      );
      return changeCapabilities(previous, named, inverted, initial);
    },
  };
}
