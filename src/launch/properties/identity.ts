/** Who the service is: its user and its groups (systemd.exec(5), "User/Group Identity"). */
import { readAccount, readBoolean, type ValueContext } from '../syntax/values.ts';
import { boolean, entriesOf, list, value } from './property.ts';

export const IDENTITY = {
  // On without a unit file: see resolve.ts.
  DynamicUser: boolean({
    refuses: true,
    manual:
      'The user is allocated at the start and is gone at the end. On, unless there is a unit file that does not ask for it.',
    untrusted: 'yes',
  }),
  User: value(readName, {
    refuses: true,
    manual:
      'The user, by name or number. With DynamicUser=yes, the name of the dynamic user; otherwise an account of the host; without it, root.',
  }),
  Group: value(readName, { refuses: true, manual: "The group, by name or number, in place of the user's own." }),
  // Their numbers are found out after the allocation: see api/launch-accounts.ts.
  SupplementaryGroups: list((text, context) => entriesOf(text, 'plain', context, name => readName(name, context)), {
    refuses: true,
    manual: 'Further groups that the service is in, by name or number.',
  }),
  // On with a user other than the manager's own: see resolve.ts.
  SetLoginEnvironment: value<boolean>(readBoolean, {
    manual: 'Whether LOGNAME is set, and HOME and SHELL if the account has them. On if there is a user.',
  }),
};

function readName(text: string, { expand, fail }: ValueContext): string {
  return readAccount(expand(text), fail);
}
