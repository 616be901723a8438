/** Runs inside a machine: asks for the live leases with the package, and prints them as one line of JSON. */
import { connect } from '../../../src/client/connect.ts';

await using client = await connect({ timeoutMs: 10_000 });
const leases = [];
for await (const lease of client.list()) {
  leases.push(lease);
}
process.stdout.write(JSON.stringify(leases));
