/** What the service may do beyond its user's rights (systemd.exec(5), "Capabilities", "Security"). */
import { ALL_CAPABILITIES, changeCapabilities, NO_CAPABILITIES } from '../syntax/capabilities.ts';
import { readMode } from '../syntax/values.ts';
import { boolean, type Property, single, wordsOf } from './property.ts';

export const PRIVILEGES = {
  NoNewPrivileges: boolean({
    implied: given => given ?? true,
    untrusted: 'yes',
    meaning: 'no program gives it privileges',
    plan: noNewPrivileges => ({ noNewPrivileges }),
  }),
  RestrictSUIDSGID: boolean({
    implied: given => given ?? true,
    untrusted: 'yes',
    meaning: 'it cannot make setuid or setgid files',
    plan: restrictSuidSgid => ({ restrictSuidSgid }),
  }),
  CapabilityBoundingSet: capabilities(ALL_CAPABILITIES),
  AmbientCapabilities: capabilities(NO_CAPABILITIES),
  UMask: { default: 0o022, read: single(readMode), plan: umask => ({ umask }) } satisfies Property<number>,
};

/** @param initial the set that the first assignment replaces */
function capabilities(initial: bigint): Property<bigint> {
  return {
    default: initial,
    untrusted: '',
    read: (text, previous = initial, context) => {
      const inverted = text.startsWith('~');
      const words = wordsOf(inverted ? text.slice(1) : text, 'plain', context);
      return changeCapabilities(previous, words, inverted, initial, context.fail);
    },
  };
}
