/**
 * `npm run demo`: dynuser on a host of its own, command by command, with its real output. Needs no root where the kernel
 * lets everybody make user namespaces. Exit status 0 only where every command did what it should.
 */
import { Installed } from '../support/installed.ts';
import type { MachineProcess } from '../support/machine/process.ts';
import { Machine } from '../support/machine.ts';
import { Mismatch, Transcript } from './transcript.ts';

const NAMED = 'dynamic-user-test';
const NAMED_ID = `uid=64642(${NAMED}) gid=64642(${NAMED}) groups=64642(${NAMED})\n`;
const NO_SUCH_USER = { status: 1, stderr: `id: ‘${NAMED}’: no such user\n` };
/** What three users may get where the range has three UIDs. */
const ONE_OF_THREE = /^6118[456]\n$/;

async function nameInUserOut(transcript: Transcript): Promise<void> {
  transcript.say('A name in, a user out, and gone without a trace.');
  await transcript.run(`dynuserctl acquire ${NAMED}.service`, { stdout: '64642\n' });
  await transcript.run(`id ${NAMED}`, { stdout: NAMED_ID });
  await transcript.run('getent passwd 64642', { stdout: `${NAMED}:x:64642:64642:Dynamic User:/:/usr/sbin/nologin\n` });
  await transcript.run(`getent group ${NAMED}`, { stdout: `${NAMED}:x:64642:\n` });
  await transcript.run(`dynuserctl release ${NAMED} && id ${NAMED}`, NO_SUCH_USER);
}

async function sharedUser(transcript: Transcript): Promise<void> {
  transcript.say('Two units share a user; the last one ends it.');
  await transcript.run('dynuserctl acquire --user=httpd web-front.service', { stdout: '63103\n' });
  await transcript.run('dynuserctl acquire --user=httpd web-back.service', { stdout: '63103\n' });
  await transcript.run('dynuserctl list', {
    stdout: /^63103 +httpd +web-front\.service .*\n63103 +httpd +web-back\.service .*\n\n1 user, 2 leases\.\n$/m,
  });
  await transcript.run('dynuserctl release --all httpd && getent passwd httpd', { status: 2 });
}

async function explanation(transcript: Transcript): Promise<void> {
  transcript.say('Why a unit would get the UID that it would get: somebody has the preferred one.');
  await transcript.run('dynuserctl acquire svc42.service', { stdout: '63769\n' });
  await transcript.run('dynuserctl explain svc87.service', {
    stdout: /^Outcome: allocate: .*^63769 +preferred +[^\n]*svc42[^\n]*\n\d+ +[^\n]*free\n/ms,
  });
  await transcript.run('dynuserctl release svc42', {});
}

async function restart(transcript: Transcript, host: Installed, daemon: MachineProcess): Promise<MachineProcess> {
  transcript.say('The daemon is killed: lookups do not need it, and leases outlive it.');
  await transcript.run(`dynuserctl acquire ${NAMED}.service`, { stdout: '64642\n' });
  transcript.show('kill -KILL %1    # dynuserd');
  daemon.kill('SIGKILL');
  await daemon.ended;
  await transcript.run(`id ${NAMED}`, { stdout: NAMED_ID });
  const restarted = await startDaemon(transcript, host);
  await transcript.run('dynuserctl list --no-legend', {
    stdout: /^64642 +dynamic-user-test +dynamic-user-test\.service .*\n$/,
  });
  await transcript.run(`dynuserctl release ${NAMED} && id ${NAMED}`, NO_SUCH_USER);
  return restarted;
}

async function exhaustedRange(transcript: Transcript, host: Installed, daemon: MachineProcess): Promise<void> {
  transcript.say('A range of three UIDs: every one is found, and a fourth unit is told why there is none.');
  await transcript.run('mkdir -p /etc/dynuser && echo UidRange=61184-61186 >/etc/dynuser/dynuserd.conf', {});
  transcript.show('kill %1');
  daemon.kill('SIGTERM');
  await daemon.ended;
  await startDaemon(transcript, host);
  for (const unit of ['first', 'second', 'third']) {
    await transcript.run(`dynuserctl acquire ${unit}.service`, { stdout: ONE_OF_THREE });
  }
  await transcript.run('dynuserctl acquire fourth.service', { status: 1, stderr: /61184.61186.*3/s });
  await transcript.run('dynuserctl release second && dynuserctl acquire fourth.service', { stdout: ONE_OF_THREE });
  await transcript.run('for name in first third fourth; do dynuserctl release $name; done', {});
  await transcript.run('ls /run/dynuser/by-uid /run/dynuser/by-name', {
    stdout: '/run/dynuser/by-name:\n\n/run/dynuser/by-uid:\n',
  });
}

async function startDaemon(transcript: Transcript, host: Installed): Promise<MachineProcess> {
  transcript.show('dynuserd &');
  return host.startDaemon();
}

async function demonstrate(machine: Machine): Promise<number> {
  const host = new Installed(machine);
  const transcript = new Transcript(machine);
  const daemon = await startDaemon(transcript, host);
  await nameInUserOut(transcript);
  await sharedUser(transcript);
  await explanation(transcript);
  await exhaustedRange(transcript, host, await restart(transcript, host, daemon));
  return transcript.commands;
}

/** @returns the exit status */
async function main(): Promise<number> {
  const nsswitch = { passwd: 'files dynuser', group: 'files dynuser' };
  const machine = await Machine.boot({ init: 'plain', stage: true, nsswitch });
  try {
    process.stdout.write(`\nThe demo passed: ${await demonstrate(machine)} commands did what they should.\n`);
    return 0;
  } catch (error) {
    if (error instanceof Mismatch) {
      process.stdout.write(`\nThe demo failed: ${error.message}\n`);
      return 1;
    }
    throw error;
  } finally {
    await machine.stop();
  }
}

process.exitCode = await main();
