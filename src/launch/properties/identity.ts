/** Who the service is: its user and its groups (systemd.exec(5), "User/Group Identity"). */
import { readAccount, readBoolean, type ValueContext } from '../syntax/values.ts';
import { boolean, list, value, wordsOf } from './property.ts';

export const IDENTITY = {
  // On without a unit file: see resolve.ts.
  DynamicUser: boolean({ untrusted: 'yes' }),
  User: value(readName),
  Group: value(readName),
  // Their numbers are found out after the allocation: see api/launch-accounts.ts.
  SupplementaryGroups: list((text, context) => wordsOf(text, 'plain', context).map(name => readName(name, context))),
  // On with a user other than the manager's own: see resolve.ts.
  SetLoginEnvironment: value<boolean>(readBoolean),
};

function readName(text: string, { expand, fail }: ValueContext): string {
  return readAccount(expand(text), fail);
}
