/**
 * Runs inside a machine whose daemon is a member of a fleet, and measures acquisitions of names of the fleet next to those of names of this
 * host: the first one and a later one, turn by turn. Prints one line of JSON; fleet.bench.ts reads it.
 *
 * usage: fleet-load NAMES
 */
import { connect } from '../../src/varlink/client.ts';
import { SOCKET } from '../../test/support/programs/daemon-process.ts';
import { median } from '../support/statistics.ts';

const [names = 0] = process.argv.slice(2).map(Number);
const INTERFACE = 'io.dynuser.Allocator';
/** FleetNames= of the machine. */
const FLEET_PREFIX = 'fleet-';

/** Medians, in milliseconds, from the call to the answer. */
export interface AcquireFigures {
  readonly firstOfFleet: number;
  readonly firstOfHost: number;
  readonly laterOfFleet: number;
  readonly laterOfHost: number;
}

const client = await connect(SOCKET);

async function acquire(unit: string): Promise<number> {
  const started = performance.now();
  const { lease } = await client.call(`${INTERFACE}.Acquire`, { unit, lifetime: 'explicit' });
  const taken = performance.now() - started;
  await client.call(`${INTERFACE}.Release`, { lease: lease ?? '' });
  return taken;
}

const [firstOfFleet, firstOfHost, laterOfFleet, laterOfHost]: [number[], number[], number[], number[]] = [
  [],
  [],
  [],
  [],
];
for (let index = 0; index < names; index++) {
  firstOfFleet.push(await acquire(`${FLEET_PREFIX}${index}`));
  firstOfHost.push(await acquire(`host-${index}`));
  laterOfFleet.push(await acquire(`${FLEET_PREFIX}${index}`));
  laterOfHost.push(await acquire(`host-${index}`));
}
const figures: AcquireFigures = {
  firstOfFleet: median(firstOfFleet),
  firstOfHost: median(firstOfHost),
  laterOfFleet: median(laterOfFleet),
  laterOfHost: median(laterOfHost),
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
client.close();
