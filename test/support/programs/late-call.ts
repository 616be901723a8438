/**
 * Runs inside a machine: connects to the system bus, says "ready", and for the first line of its standard input acquires a
 * user there whose unit is the argument. Prints the answer as JSON, or the error's words.
 */
import { once } from 'node:events';
import { Variant } from '@jellybrick/dbus-next';
import { askDriver, openConnection } from '../../../src/dbus/connection.ts';

const [unit = ''] = process.argv.slice(2);
const quiet = { signal: () => {}, call: () => {}, lost: () => {}, dropped: () => {} };
const connection = await openConnection('/run/dbus/system_bus_socket', quiet);
// This very daemon is asked, and not whoever has the name by then.
const [destination] = await askDriver(connection, 'GetNameOwner', 's', 'io.dynuser.Allocator1');
process.stdout.write('ready\n');
await once(process.stdin, 'data');
const question = {
  destination: String(destination),
  path: '/io/dynuser/Allocator1',
  interface: 'io.dynuser.Allocator1',
  member: 'Acquire',
  signature: 'sa{sv}',
  body: [unit, { lifetime: new Variant('s', 'explicit') }],
};
const answer = await connection.call(question).catch(String);
process.stdout.write(`${JSON.stringify(answer)}\n`);
connection.close();
process.stdin.destroy();
