/** The commands of a unit file but its program, run by the real systemd and by dynuser-run: which of them run, in what order, and as whom. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Installed } from '../../support/installed.ts';
import { Machine } from '../../support/machine.ts';
import { until } from '../../support/until.ts';

const UNIT_FILES = '/etc/systemd/system';
/** What the commands write to, in a directory that all of them may write to. */
const RECORD = '/var/lib/record/file';

/** What a process has of systemd, such as its bounding set, is the same then. */
const STARTER = ['systemd-run', '--wait', '--pipe', '--quiet'];

/** A command of a shell that notes something; "$" is written twice for systemd. */
const note = (text: string, then = ''): string => `/bin/sh -c 'echo ${text} >>${RECORD}; ${then}'`;
const WHO = '$$(id -un) $$(sed -n "s/^CapEff:\\t//p" /proc/self/status)';
const SHARED = '$$(readlink /proc/self/ns/net /proc/self/ns/ipc)';

interface Case {
  readonly name: string;
  readonly lines: readonly string[];
}

const START = `ExecStart=${note('start')}`;

const CASES: readonly Case[] = [
  { name: 'met', lines: [`ExecCondition=${note('one')}`, `ExecCondition=${note('two')}`, START] },
  ...[1, 254, 255].map(status => ({
    name: `status-${status}`,
    lines: [`ExecCondition=${note('one', `exit ${status}`)}`, `ExecStartPre=${note('pre')}`, START],
  })),
  ...[1, 255].map(status => ({
    name: `ignored-${status}`,
    lines: [`ExecCondition=-${note('one', `exit ${status}`)}`, START],
  })),
  { name: 'signal', lines: [`ExecCondition=${note('one', 'kill -TERM $$$$')}`, START] },
  { name: 'signal-ignored', lines: [`ExecCondition=-${note('one', 'kill -KILL $$$$')}`, START] },
  { name: 'missing', lines: ['ExecCondition=/usr/bin/no-such-program', START] },
  {
    name: 'order',
    lines: [START, `ExecStart=${note('second')}`, `ExecStartPre=${note('pre')}`, `ExecCondition=${note('condition')}`],
  },
  { name: 'pre-fails', lines: [`ExecStartPre=${note('pre', 'exit 3')}`, START] },
  { name: 'first-fails', lines: [`ExecStart=-${note('a', 'exit 3')}`, `ExecStart=${note('b', 'exit 4')}`, START] },
  {
    name: 'prefixes',
    lines: [
      'User=games',
      ...['', '!!', '+', '!', '-@!!:'].map(prefix => {
        const own = prefix.includes('@') ? note(`${WHO} $$0`).replace('/bin/sh', '/bin/sh own') : note(WHO);
        return `ExecStart=${prefix}${prefix.includes(':') ? own.replaceAll('$$', '$') : own}`;
      }),
    ],
  },
  {
    name: 'after-start',
    lines: [`ExecStartPost=${note('post')}`, START, `ExecStartPost=-${note('fails', 'exit 3')}`],
  },
  { name: 'last-ignored', lines: [START, `ExecStart=-${note('fails', 'exit 3')}`] },
  { name: 'last-ignored-signal', lines: [`ExecStart=-${note('ends', 'kill -KILL $$$$')}`] },
  { name: 'last-ignored-missing', lines: [`ExecStartPre=${note('pre')}`, 'ExecStart=-/usr/bin/no-such-program'] },
  {
    name: 'permissions-start-only',
    lines: [
      ...['User=games', 'PermissionsStartOnly=yes', `ExecStartPre=${note(`pre ${WHO}`)}`],
      ...[`ExecStart=${note(`start ${WHO}`)}`, `ExecStartPost=${note(`post ${WHO}`)}`],
    ],
  },
  {
    name: 'namespaces',
    lines: [
      'PrivateNetwork=yes',
      'PrivateIPC=yes',
      `ExecStartPre=+/bin/sh -c 'echo ${SHARED} >/run/first'`,
      ...['+', '', '!'].map(
        prefix =>
          `ExecStart=${prefix}/bin/sh -c '[ "$$(echo ${SHARED})" = "$$(cat /run/first)" ] && echo shared >>${RECORD}'`,
      ),
    ],
  },
];

/** A service that runs until it is stopped, and commands for it. */
interface ServiceCase extends Case {
  /** how it ends, for the commands after it */
  readonly ended: string;
}

const SERVICE = '/usr/local/bin/record-service';
/** Notes its number, and signals that it was told to note by its arguments. */
const SERVICE_SCRIPT = `#!/bin/sh
for signal; do trap "echo got $signal >>${RECORD}; [ $signal = HUP ] || exit 0" $signal; done
echo main $$ >>${RECORD}
[ $# -gt 0 ] || exec sleep 600
while :; do sleep 0.05; done
`;
const VARIABLES = '$$SERVICE_RESULT $$EXIT_CODE $$EXIT_STATUS';
const OWN = 'ReadWritePaths=/var/lib/record';

/** A service that tells of its reloads whoever wants to know. */
const RELOADED =
  `trap "echo got >>${RECORD}; systemd-notify --reloading; systemd-notify --ready" USR2; systemd-notify --ready; ` +
  `echo main $$$$ >>${RECORD}; while :; do sleep 0.05; done`;

/** Each command of a kind with its name and what it is told. */
const everyPhase = (text: string): string[] =>
  ['ExecReload', 'ExecStop', 'ExecStopPost'].map(name => `${name}=${note(`${name} ${text}`)}`);

const SERVICES: readonly ServiceCase[] = [
  { name: 'told', ended: 'TERM', lines: [`ExecStart=${SERVICE}`, ...everyPhase(`$\{MAINPID} ${VARIABLES} ${WHO}`)] },
  {
    name: 'dynamic',
    ended: '0',
    lines: [
      ...[
        'DynamicUser=yes',
        OWN,
        'StateDirectory=commands-dynamic',
        'Environment=OWN=own',
        `ExecStart=${SERVICE} TERM`,
      ],
      ...everyPhase(`$OWN $MAINPID ${VARIABLES} ${WHO} $$(stat -c %U $$STATE_DIRECTORY)`),
    ],
  },
  {
    name: 'shared',
    ended: 'TERM',
    lines: [
      ...['User=games', 'PrivateNetwork=yes', 'PrivateIPC=yes', `ExecStart=${SERVICE}`],
      `ExecReload=+/bin/sh -c 'for n in net ipc mnt; do [ $$(readlink /proc/self/ns/$$n) != $$(readlink /proc/$MAINPID/ns/$$n) ] || echo shared $$n >>${RECORD}; done'`,
      `ExecStop=/bin/sh -c 'echo $$(ls /sys/class/net) >>${RECORD}'`,
    ],
  },
  {
    name: 'stop-fails',
    ended: '0',
    lines: [
      `ExecStart=${SERVICE} TERM`,
      `ExecReload=-${note('ignored', 'exit 3')}`,
      `ExecReload=!${note('reload')}`,
      `ExecStop=-${note('ignored', 'exit 3')}`,
      `ExecStop=${note('fails', 'exit 4')}`,
      `ExecStop=${note('not run')}`,
    ],
  },
  {
    name: 'signals',
    ended: '0',
    lines: [
      `ExecStart=${SERVICE} HUP INT`,
      'KillSignal=SIGINT',
      `ExecReload=${note('reload', `kill -HUP $MAINPID; until grep -q got ${RECORD}; do sleep 0.02; done`)}`,
    ],
  },
  {
    name: 'stops-itself',
    ended: 'USR1',
    lines: [
      `ExecStart=${SERVICE}`,
      `ExecReload=${note('reload')}`,
      `ExecStop=/bin/sh -c 'kill -USR1 $MAINPID; while kill -0 $MAINPID 2>/dev/null; do sleep 0.02; done; echo gone >>${RECORD}'`,
      `ExecStopPost=${note('post $$EXIT_CODE $$EXIT_STATUS')}`,
    ],
  },
  {
    name: 'success',
    ended: 'USR1',
    lines: [
      ...[`ExecStart=${SERVICE}`, 'SuccessExitStatus=3 SIGUSR1 TEMPFAIL', `ExecReload=${note('reload')}`],
      `ExecStop=/bin/sh -c 'kill -USR1 $MAINPID; while kill -0 $MAINPID 2>/dev/null; do sleep 0.02; done'`,
      `ExecStopPost=${note('post $$SERVICE_RESULT')}`,
    ],
  },
  {
    name: 'final',
    ended: '0',
    lines: [
      ...[`ExecStart=${SERVICE} HUP USR1`, 'KillMode=mixed', 'KillSignal=SIGHUP', 'FinalKillSignal=SIGUSR1'],
      ...['TimeoutStopSec=1', `ExecReload=${note('reload')}`, `ExecStopPost=${note('post $$EXIT_CODE $$EXIT_STATUS')}`],
    ],
  },
  {
    name: 'reload-signal',
    ended: 'TERM',
    lines: [
      ...['Type=notify-reload', 'NotifyAccess=all', 'ReloadSignal=SIGUSR2'],
      `ExecReload=/bin/sh -c 'until grep -q got ${RECORD}; do sleep 0.02; done; echo reload >>${RECORD}'`,
      `ExecStart=/bin/sh -c '${RELOADED}'`,
    ],
  },
];

describe('the commands of a unit file, run by systemd and by dynuser-run', () => {
  let machine: Machine;

  before(async () => {
    const sources = 'files dynuser systemd';
    machine = await Machine.boot({ init: 'systemd', stage: true, nsswitch: { passwd: sources, group: sources } });
    await machine.write(SERVICE, SERVICE_SCRIPT, 0o755);
    for (const { name, lines, ...more } of [...CASES, ...SERVICES]) {
      const type = 'ended' in more ? 'Type=exec' : 'Type=oneshot';
      const text = ['[Service]', type, ...lines, ''].join('\n');
      await machine.write(`${UNIT_FILES}/commands-${name}.service`, text);
    }
    await machine.output(['systemctl', 'daemon-reload']);
    await machine.output(['systemctl', 'start', 'dynuserd.socket']);
  });
  after(() => machine.stop());

  const empty = async (): Promise<void> => {
    await machine.sh(
      'rm -rf /var/lib/record; install -d -m 1777 /var/lib/record; install -m 666 /dev/null $0'.replace('$0', RECORD),
    );
  };
  const record = (): Promise<string> => machine.output(['cat', RECORD]);

  /** @returns whether it succeeded, and what its commands noted */
  const recorded = async (argv: readonly string[]): Promise<{ isGood: boolean; record: string }> => {
    await empty();
    const { status } = await machine.run(argv);
    return { isGood: status === 0, record: await record() };
  };

  for (const { name } of CASES) {
    it(name, async () => {
      const theirs = await recorded(['systemctl', 'start', `commands-${name}.service`]);
      assert.notEqual(name === 'missing' ? 'none' : theirs.record, '', 'the unit does something');
      const ours = await recorded([...STARTER, 'dynuser-run', `--unit-file=${UNIT_FILES}/commands-${name}.service`]);
      assert.deepEqual(ours, theirs);
    });
  }

  /** Starts a service, reloads and stops it. @returns what was noted, the number of its process as PID */
  const lived = async (
    start: readonly string[],
    reload: readonly string[],
    stops: readonly (readonly string[])[],
  ): Promise<string> => {
    await empty();
    await machine.output(start);
    await until('the service notes its number', async () => /^main/m.test(await record()));
    await machine.output(reload);
    for (const stop of stops) {
      await machine.output(stop);
    }
    const text = await record();
    const pid = /^main (\d+)$/m.exec(text)?.[1];
    assert.ok(pid !== undefined);
    return text.replaceAll(new RegExp(`\\b${pid}\\b`, 'g'), 'PID');
  };

  for (const { name, ended } of SERVICES) {
    it(`${name}: a service that is told to reload, and to stop`, async () => {
      const unit = `commands-${name}.service`;
      const systemctl = (verb: string) => ['systemctl', verb, unit];
      const theirs = await lived(systemctl('start'), systemctl('reload'), [systemctl('stop')]);
      const launcher = ['dynuser-run', `--unit-file=${UNIT_FILES}/${unit}`];
      const phase = (option: string) => [...STARTER, ...launcher, option];
      const ours = await lived(
        ['systemd-run', '--quiet', '--collect', `--unit=ours-${name}`, ...launcher],
        phase('--reload'),
        [phase('--stop'), phase(`--stop-post=${ended}`)],
      );
      assert.equal(ours, theirs);
      assert.equal(await machine.output(phase('--stop')), '', 'it is done already');
      assert.notEqual((await machine.run(phase('--reload'))).status, 0, 'it does not run');
      await new Installed(machine).untilNothingIsKept();
    });
  }

  it('a service tells the manager of the launcher that it is ready, and is watched by it', async () => {
    const name = 'commands-notify.service';
    const told = '[ $$WATCHDOG_PID = $$$$ ] && echo $$WATCHDOG_USEC';
    const script = `/bin/sh -c '${told} >${RECORD}; systemd-notify --ready; echo ready >>${RECORD}; exec sleep 600'`;
    const lines = ['DynamicUser=yes', OWN, 'Type=notify', 'NotifyAccess=all', 'WatchdogSec=30', `ExecStart=${script}`];
    await machine.write(`${UNIT_FILES}/${name}`, ['[Service]', ...lines, ''].join('\n'));
    await machine.output(['systemctl', 'daemon-reload']);
    const manager = ['-pType=notify', '-pNotifyAccess=all', '-pWatchdogSec=30', '--quiet', '--collect'];
    const launcher = ['dynuser-run', `--unit-file=${UNIT_FILES}/${name}`];
    for (const [unit, start] of [
      [name, ['systemctl', 'start', name]],
      ['ours-notify.service', ['systemd-run', '--unit=ours-notify', ...manager, ...launcher]],
    ] as const) {
      await empty();
      await machine.output(start);
      await until('the manager knows that it is ready', async () => /ready/.test(await record()));
      assert.equal(await record(), '30000000\nready');
      await machine.output(['systemctl', 'stop', unit]);
    }
    await new Installed(machine).untilNothingIsKept();
  });

  for (const [name, result, script, ...lines] of [
    ['dynamic', 'success', 'exec sleep 600', 'DynamicUser=yes'],
    [
      ...['answers', 'exit-code', 'trap "" INT; trap "exit 4" HUP; while :; do sleep 0.05; done'],
      ...['KillSignal=SIGINT', 'SendSIGHUP=yes'],
    ],
    ['refuses', 'signal', 'trap "" TERM; while :; do sleep 0.05; done', 'TimeoutStopSec=500ms'],
    ['at-once', 'success', 'exec sleep 600', 'RuntimeMaxSec=0'],
  ] as const) {
    it(`${name}: a service whose time is over ends as with systemd`, async () => {
      const [theirs, ours] = [`runtime-${name}.service`, `ours-runtime-${name}.service`];
      const post = `ExecStopPost=+${note('$$SERVICE_RESULT $$EXIT_CODE $$EXIT_STATUS')}`;
      const service = ['Type=exec', 'RuntimeMaxSec=500ms', ...lines, `ExecStart=/bin/sh -c '${script}'`, post];
      const launcher = ['Type=exec', `ExecStart=/usr/bin/dynuser-run --unit-file=${UNIT_FILES}/${theirs}`, post];
      await machine.write(`${UNIT_FILES}/${theirs}`, ['[Service]', ...service, ''].join('\n'));
      await machine.write(`${UNIT_FILES}/${ours}`, ['[Service]', ...launcher, ''].join('\n'));
      await machine.output(['systemctl', 'daemon-reload']);
      const ends: string[] = [];
      for (const unit of [theirs, ours]) {
        await empty();
        // With no time at all it may have ended by then.
        await machine.run(['systemctl', 'start', unit]);
        await until('the service has ended', async () => (await record()) !== '');
        ends.push(await record());
      }
      const [end = '', seen] = ends;
      // How it ended is the same; that its time was over, the manager of the launcher does not know, and the daemon does.
      assert.match(end, /^timeout /);
      assert.equal(seen, end.replace('timeout', result));
      await empty();
      const how = end.split(' ').at(-1);
      await machine.output([...STARTER, 'dynuser-run', `--unit-file=${UNIT_FILES}/${theirs}`, `--stop-post=${how}`]);
      assert.equal(await record(), end);
      await new Installed(machine).untilNothingIsKept();
    });
  }

  it('a condition that cannot be tried is a failure, and none that is not met', async () => {
    const unit = `${UNIT_FILES}/commands-untried.service`;
    await machine.write(unit, `[Service]\nWorkingDirectory=/nowhere\nExecCondition=/bin/false\nExecStart=/bin/true\n`);
    const { status, stderr } = await machine.run(['dynuser-run', `--unit-file=${unit}`]);
    assert.equal(status, 125, stderr);
    assert.match(stderr, /\/nowhere/);
  });
});
