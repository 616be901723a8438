/** Who the service is: its user, its groups, its privileges (systemd.exec(5), "User/Group Identity", "Capabilities"). */
import { ALL_CAPABILITIES, changeCapabilities, NO_CAPABILITIES } from '../syntax/capabilities.ts';
import { readAccount, readBoolean, readMode, type ValueContext } from '../syntax/values.ts';
import { boolean, list, type Property, single, value, wordsOf } from './property.ts';

export const IDENTITY = {
  // On without a unit file: see resolve.ts.
  DynamicUser: boolean({ untrusted: 'yes' }),
  User: value(readName),
  Group: value(readName),
  SupplementaryGroups: list((text, context) => wordsOf(text, 'plain', context).map(name => readName(name, context)), {
    plan: names => ({ groups: [...new Set(names)] }),
  }),
  // On with a user other than the manager's own: see resolve.ts.
  SetLoginEnvironment: value<boolean>(readBoolean),
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

function readName(text: string, { expand, fail }: ValueContext): string {
  return readAccount(expand(text), fail);
}

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
