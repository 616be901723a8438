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

async function exhaustedRange(
  transcript: Transcript,
  host: Installed,
  daemon: MachineProcess,
): Promise<MachineProcess> {
  transcript.say('A range of three UIDs: every one is found, and a fourth unit is told why there is none.');
  await transcript.run('mkdir -p /etc/dynuser && echo UidRange=61184-61186 >/etc/dynuser/dynuserd.conf', {});
  transcript.show('kill %1');
  daemon.kill('SIGTERM');
  await daemon.ended;
  const limited = await startDaemon(transcript, host);
  for (const unit of ['first', 'second', 'third']) {
    await transcript.run(`dynuserctl acquire ${unit}.service`, { stdout: ONE_OF_THREE });
  }
  await transcript.run('dynuserctl acquire fourth.service', { status: 1, stderr: /61184.61186.*3/s });
  await transcript.run('dynuserctl release second && dynuserctl acquire fourth.service', { stdout: ONE_OF_THREE });
  await transcript.run('for name in first third fourth; do dynuserctl release $name; done', {});
  await transcript.run('ls /run/dynuser/by-uid /run/dynuser/by-name', {
    stdout: '/run/dynuser/by-name:\n\n/run/dynuser/by-uid:\n',
  });
  return limited;
}

async function launches(transcript: Transcript, host: Installed, daemon: MachineProcess): Promise<void> {
  transcript.say('A program becomes a dynamic user, again with all UIDs; it can write to nothing but what is its own.');
  await transcript.run('rm /etc/dynuser/dynuserd.conf', {});
  transcript.show('kill %1');
  daemon.kill('SIGTERM');
  await daemon.ended;
  await startDaemon(transcript, host);
  await transcript.run(`dynuser-run -u ${NAMED} id`, { stdout: NAMED_ID });
  await transcript.run(`dynuser-run -u ${NAMED} touch /tmp/mark /etc/mark`, {
    status: 1,
    stderr: /^touch: .*\/etc\/mark.*: Read-only file system\n$/,
  });
  await transcript.run("printf '%s\\n' wuff foobar wuff foo | dynuser-run sort -u | grep foo", {
    stdout: 'foo\nfoobar\n',
  });

  transcript.say('A state directory is behind a boundary that only root can pass, and comes back to the next user.');
  const properties = '-p StateDirectory=wuff';
  await transcript.run(`dynuser-run -u run-u15750 ${properties} sh -c 'id -un; echo hello >/var/lib/wuff/test'`, {
    stdout: 'run-u15750\n',
  });
  await transcript.run('ls -ld /var/lib/private /var/lib/wuff', {
    stdout: /^drwx------ .* root +root .*\/var\/lib\/private\nl.* \/var\/lib\/wuff -> private\/wuff\n$/,
  });
  await host.untilNothingIsKept();
  await transcript.run('id run-u15750', { status: 1, stderr: 'id: ‘run-u15750’: no such user\n' });
  await transcript.run(
    `dynuser-run -u run-u16087 ${properties} sh -c 'cd /var/lib/wuff; stat -c "%n: %U" test; cat test'`,
    {
      stdout: 'test: run-u16087\nhello\n',
    },
  );

  transcript.say('What would be done, and how each part of it is turned off.');
  await transcript.run('dynuser-run --explain -u web -p StateDirectory=web web-server', {
    stdout:
      /^User:\n {2}web, UID 63404, .*^ {2}ProtectSystem=strict, implied: .*^ {2}put #\d+ at \/var\/lib\/private\/web\n/ms,
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
  const limited = await exhaustedRange(transcript, host, await restart(transcript, host, daemon));
  if (process.getuid?.() === 0) {
    await launches(transcript, host, limited);
  } else {
    transcript.say('dynuser-run is shown to root alone: in a user namespace that everybody may make there is one UID.');
  }
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
