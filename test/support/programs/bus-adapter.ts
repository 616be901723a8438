/**
 * Runs inside a machine: the D-Bus adapter on the system bus, with an allocator that is a table. Reads a command a line,
 * "check UNIT" or "watch UNIT", prints what comes of it and what happens, one JSON object a line, and ends with its input.
 */
import { createInterface } from 'node:readline';
import { Bus, systemBusSocket } from '../../../src/dbus/bus.ts';
import { BusApi } from '../../../src/dbus/bus-api.ts';
import { UnitWatch } from '../../../src/dbus/unit-watch.ts';
import { TableAllocator } from '../table-allocator.ts';

const print = (event: Readonly<Record<string, unknown>>): void => {
  process.stdout.write(`${JSON.stringify(event)}\n`);
};
const onTrouble = (what: string, cause: unknown): void => print({ trouble: what, cause: String(cause) });

const socket = systemBusSocket(process.env['DBUS_SYSTEM_BUS_ADDRESS']);
if (!('path' in socket)) {
  throw new Error(socket.reason);
}
const bus = new Bus(socket.path, { state: (connected, reason) => print({ connected, reason }), trouble: onTrouble });
const units = new UnitWatch(bus, onTrouble);
const api = new BusApi(bus, new TableAllocator(), onTrouble);
bus.start();
for await (const line of createInterface({ input: process.stdin })) {
  const [command, unit = ''] = line.split(' ');
  if (command === 'check') {
    print({ check: unit, ...(await units.check(unit)) });
  } else {
    units.watch(unit, () => print({ ended: unit }));
  }
}
api.close();
bus.close();
