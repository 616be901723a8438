/** dynuserctl fleet: what hosts that share storage have in common. What is the store's is asked of dynuser-fleetd, what is the host's of dynuserd. */
import type { CollectReply, ForgetHostReply, NameReply, StatusReply } from '../../api/generated/io-dynuser-fleet.ts';
import { anyOf } from '../../core/pattern.ts';
import { chooseAction, FLEET_ACTIONS } from '../actions.ts';
import type { Handler, Invocation } from '../command.ts';
import { lastValue } from '../command-line.ts';
import { fleetRanges } from '../configured-ranges.ts';
import { checkFleet } from '../doctor/checks/fleet.ts';
import { CommandFailure, type ExitStatus } from '../failure.ts';
import { withCompanion } from '../fleet/companion.ts';
import { faultsOf, findHost, hostsOf, nameOfHost, namesOf, surveyOf } from '../fleet/survey.ts';
import { accountOf, joinHere, statusHere } from '../fleet/this-host.ts';
import { thisHost } from '../host.ts';
import { RELEASE_TIMEOUT_MS } from '../limits.ts';
import { print } from '../print.ts';
import type { ProcessIo } from '../process-io.ts';
import {
  type CheckedFleet,
  type ExplainedName,
  renderCheck,
  renderHosts,
  renderName,
  renderNames,
} from '../render/fleet.ts';
import { countOf, printable } from '../render/text.ts';
import { withClient } from '../with-client.ts';
import { report } from './doctor.ts';

type Action = (invocation: Invocation, io: ProcessIo, operands: readonly string[]) => Promise<ExitStatus>;

const RUN: Readonly<Record<keyof typeof FLEET_ACTIONS, Action>> = {
  ...{ create, join, leave, hosts, names, explain, forget, check, doctor, resume },
  gc: collect,
  'forget-host': forgetHost,
  'free-directory': freeDirectory,
};

export const fleet: Handler = async (invocation, io) => {
  const { action, operands } = chooseAction('fleet', FLEET_ACTIONS, invocation);
  return await RUN[action](invocation, io, operands);
};

async function create({ options }: Invocation, io: ProcessIo): Promise<ExitStatus> {
  const ranges = fleetRanges(thisHost(io.environment), lastValue(options, 'range'));
  const { fleet: name } = await withCompanion(async companion => {
    await companion.call('Create', { ranges });
    return await companion.call<StatusReply>('Status');
  });
  await io.output.write(`Created the fleet ${printable(name)} with the UIDs ${printable(ranges)}.\n`);
  return 0;
}

async function join(_: Invocation, io: ProcessIo): Promise<ExitStatus> {
  const { hostName, fleet: name } = await joinHere(io);
  await io.output.write(`${printable(hostName ?? 'This host')} is a member of the fleet ${printable(name ?? '')}.\n`);
  return 0;
}

async function leave(_: Invocation, io: ProcessIo): Promise<ExitStatus> {
  await withClient(io, client => client.fleetLeave({ timeoutMs: RELEASE_TIMEOUT_MS }));
  await io.output.write('This host has left the fleet. Set Fleet=off in dynuserd.conf, or it joins again.\n');
  return 0;
}

async function hosts(invocation: Invocation, io: ProcessIo): Promise<ExitStatus> {
  const { found, restoring } = await withCompanion(async companion => ({
    found: await hostsOf(companion),
    restoring: (await companion.call<StatusReply>('Status')).restoring,
  }));
  await print(found, invocation, io, (all, layout) => renderHosts(all, restoring, layout));
  return 0;
}

async function names(invocation: Invocation, io: ProcessIo, patterns: readonly string[]): Promise<ExitStatus> {
  const matches = anyOf(patterns);
  const found = namesOf(await withCompanion(surveyOf)).filter(({ name, uid }) => matches(name, String(uid)));
  await print(found, invocation, io, renderNames);
  return 0;
}

async function explain(invocation: Invocation, io: ProcessIo, [name = '']: readonly string[]): Promise<ExitStatus> {
  const [reply, all] = await withCompanion(async companion => [
    await companion.call<NameReply>('Name', { name }),
    await hostsOf(companion),
  ]);
  const { holds } = await statusHere(io);
  const here = holds.find(hold => hold.name === name);
  const account = accountOf(thisHost(io.environment), name);
  const shown = reply.hosts.map(host => nameOfHost(all.find(each => each.host === host) ?? { host }));
  const explained: ExplainedName = {
    name,
    ...reply,
    hosts: shown,
    here: here === undefined ? 'not held' : 'held',
    live: here?.live === true,
    conflict: here?.conflict,
    account,
  };
  await print(explained, invocation, io, renderName);
  return 0;
}

async function forget(_: Invocation, io: ProcessIo, [name = '']: readonly string[]): Promise<ExitStatus> {
  await withClient(io, client => client.fleetForget(name, { timeoutMs: RELEASE_TIMEOUT_MS }));
  await io.output.write(`This host has forgotten ${printable(name)}; the next use of it here asks the store.\n`);
  return 0;
}

async function forgetHost(
  { options }: Invocation,
  io: ProcessIo,
  [wanted = '']: readonly string[],
): Promise<ExitStatus> {
  if (!options.has('powered-off')) {
    throw new CommandFailure(
      `fleet forget-host: nobody but you knows that ${printable(wanted)} is powered off; if it runs, its users' UIDs may become those of others while its processes still write. Power it off, and give --powered-off`,
      { status: 2 },
    );
  }
  const { host, names: given } = await withCompanion(async companion => {
    const found = findHost(await hostsOf(companion), wanted);
    if (found.alive) {
      throw new CommandFailure(
        `${printable(wanted)} was heard of within the last minute: power it off, wait a minute, and try again`,
      );
    }
    return { host: found, names: (await companion.call<ForgetHostReply>('ForgetHost', { host: found.host })).names };
  });
  await io.output.write(
    `${printable(nameOfHost(host))} is given up, and holds none of its ${countOf(given.length, 'name')} any more. 'dynuserctl fleet gc' frees those that no host holds.\n`,
  );
  return 0;
}

async function collect(invocation: Invocation, io: ProcessIo, [name]: readonly string[]): Promise<ExitStatus> {
  const replies = await withCompanion(companion =>
    companion.list<CollectReply>('Collect', name === undefined ? {} : { name }),
  );
  const freed = replies.flatMap(reply =>
    reply.name === undefined || reply.uid === undefined ? [] : [{ name: reply.name, uid: reply.uid }],
  );
  await print(freed, invocation, io, (all, { legend }) => {
    const lines = all.map(each => `${each.uid} of ${printable(each.name)} cools down.\n`).join('');
    return legend ? `${lines}Freed ${countOf(all.length, 'name')}.\n` : lines;
  });
  return 0;
}

async function check(invocation: Invocation, io: ProcessIo): Promise<ExitStatus> {
  const survey = await withCompanion(surveyOf);
  const here = await statusHere(io);
  const checked: CheckedFleet = {
    status: survey.status,
    member: here.state === 'member',
    reason: here.reason,
    hosts: survey.hosts.length,
    names: survey.bindings.filter(({ state }) => state === 'bound').length,
    faults: [...faultsOf(survey), ...here.holds.flatMap(({ conflict }) => (conflict === undefined ? [] : [conflict]))],
  };
  await print(checked, invocation, io, renderCheck);
  return checked.member && checked.faults.length === 0 ? 0 : 1;
}

/** What 'dynuserctl doctor' says of the fleet, and nothing else. */
async function doctor(invocation: Invocation, io: ProcessIo): Promise<ExitStatus> {
  return await report(checkFleet(thisHost(io.environment), await statusHere(io), io.now()), invocation, io);
}

async function resume(_: Invocation, io: ProcessIo): Promise<ExitStatus> {
  await withCompanion(companion => companion.call('Resume'));
  await io.output.write('Names are given to further hosts again.\n');
  return 0;
}

async function freeDirectory(
  _: Invocation,
  io: ProcessIo,
  [storage = '', path = '']: readonly string[],
): Promise<ExitStatus> {
  await withCompanion(companion => companion.call('FreeDirectory', { storage, path }));
  await io.output.write(`${printable(path)} of ${printable(storage)} belongs to no name any more.\n`);
  return 0;
}
