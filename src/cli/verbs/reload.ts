/** dynuserctl reload */
import type { Handler } from '../command.ts';
import { print } from '../print.ts';
import { withClient } from '../with-client.ts';

export const reload: Handler = async (invocation, io) => {
  const reply = await withClient(io, client => client.reload());
  await print(reply, invocation, io, ({ applied, deferred }) => {
    const now = applied.length === 0 ? 'Nothing has changed.' : `Changed: ${applied.join(', ')}.`;
    const later =
      deferred.length === 0 ? '' : `At the next start of dynuserd: ${deferred.join(', ')}. Restart it for that.\n`;
    return `${now}\n${later}`;
  });
  return 0;
};
