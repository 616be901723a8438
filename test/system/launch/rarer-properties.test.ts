/** Properties that a unit rarely has, run by the real systemd and by dynuser-run, by what they do. */
// time limit: 300 s
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Installed } from '../../support/installed.ts';
import { Machine } from '../../support/machine.ts';
import { until } from '../../support/until.ts';

const UNIT_FILES = '/etc/systemd/system';
const RECORD = '/var/lib/record/file';
const STARTER = ['systemd-run', '--wait', '--pipe', '--quiet'];
const ROOT = '/srv/other';
const TERMINAL = '/srv/terminal';

/** Notes a word, and which root directory it has. */
const note = (word: string): string =>
  `/bin/sh -c 'if [ -e /in-other ]; then echo ${word} in another root; else echo ${word}; fi >>${RECORD}'`;
const BOUND = 'BindPaths=/var/lib/record';
/** Makes a pseudo-terminal, and keeps it. */
const MAKE_TERMINAL = `open my $master, "+<", "/dev/ptmx" or die $!;
ioctl($master, 0x40045431, my $unlocked = pack("i", 0)) or die $!;
ioctl($master, 0x80045430, my $number = pack("i", 0)) or die $!;
symlink "/dev/pts/" . unpack("i", $number), "${TERMINAL}" or die $!;
sleep 1000 while 1;`;

/** Of the manager, and of the launcher. */
const ENVIRONMENT = ['PASSED=a b', 'GIVEN=manager', 'TAKEN=x', 'LATER=l', 'OTHER=o'];

/** Has the terminal open, not as its own, and notes when it loses it. */
const READER = `use Fcntl; sysopen my $terminal, "${TERMINAL}", O_RDONLY | O_NOCTTY or die $!;
open my $open, ">", "/var/lib/record/open"; sysread $terminal, my $text, 1; open my $lost, ">", "/var/lib/record/lost";`;

interface Case {
  readonly name: string;
  readonly lines: readonly string[];
}

/** Services that are started, and have ended when the starter has. */
const STARTS: readonly Case[] = [
  {
    name: 'root-start-only',
    lines: [
      ...[`RootDirectory=${ROOT}`, 'RootDirectoryStartOnly=yes', BOUND, 'MountAPIVFS=yes'],
      ...[`ExecStartPre=+${note('pre')}`, `ExecStart=${note('start')}`],
    ],
  },
  {
    name: 'root-start-only-off',
    lines: [
      ...[`RootDirectory=${ROOT}`, 'RootDirectoryStartOnly=no', BOUND, 'MountAPIVFS=yes'],
      ...[`ExecStartPre=${note('pre')}`, `ExecStart=${note('start')}`],
    ],
  },
  {
    name: 'pass-environment',
    lines: [
      ...['PassEnvironment=PASSED GIVEN "TAKEN" NOWHERE', 'PassEnvironment=LATER', 'Environment=GIVEN=unit'],
      ...[
        'UnsetEnvironment=TAKEN',
        `ExecStart=/bin/sh -c 'env | grep -E "^(PASSED|GIVEN|TAKEN|NOWHERE|LATER|OTHER)=" | sort >>${RECORD}'`,
      ],
    ],
  },
  {
    name: 'pass-environment-emptied',
    lines: [
      ...['PassEnvironment=PASSED', 'PassEnvironment=', 'PassEnvironment=LATER'],
      `ExecStart=/bin/sh -c 'env | grep -E "^(PASSED|LATER)=" | sort >>${RECORD}'`,
    ],
  },
  ...(['yes', 'no'] as const).map(hangup => ({
    name: `terminal-hangup-${hangup}`,
    lines: [
      ...[`TTYPath=${TERMINAL}`, 'StandardInput=tty', `TTYVHangup=${hangup}`, 'TTYVTDisallocate=yes'],
      ...['TTYReset=yes', 'TTYColumns=71', 'TTYRows=19'],
      `ExecStart=/bin/sh -c 'stty size >>${RECORD}; stty -a | tr " " "\\\\n" | grep -E "^-?(echo|icanon|isig|opost|ixon|ixoff|iutf8|icrnl)" | sort >>${RECORD}'`,
    ],
  })),
  {
    name: 'terminal-size',
    lines: [
      `TTYPath=${TERMINAL}`,
      'StandardInput=tty',
      'TTYColumns=50',
      `ExecStart=/bin/sh -c 'stty size >>${RECORD}'`,
    ],
  },
];

/** Services that run until they are stopped: whether they run on after it, and by what they ended. */
interface StoppedCase extends Case {
  /** whether whoever stops them is told that it went well here; systemctl(1) says nothing of it */
  readonly isGood: boolean;
  /** what the service notes with systemd in addition, before "runs on" */
  readonly more?: string;
}

const STUBBORN = `ExecStart=/bin/sh -c 'trap "echo TERM >>${RECORD}" TERM; echo main >>${RECORD}; while :; do sleep 0.05; done'`;
const STOPPED: readonly StoppedCase[] = [
  // systemd sends the signal again before it gives up.
  { name: 'no-kill', isGood: false, more: 'TERM\n', lines: ['SendSIGKILL=no', 'TimeoutStopSec=500ms', STUBBORN] },
  { name: 'timeout', isGood: true, lines: ['TimeoutSec=500ms', STUBBORN] },
  { name: 'timeout-later', isGood: true, lines: ['TimeoutStopSec=1h', 'TimeoutSec=500ms', STUBBORN] },
  { name: 'kill-none', isGood: true, lines: ['KillMode=none', 'TimeoutStopSec=500ms', STUBBORN] },
  { name: 'kill-process', isGood: true, lines: ['KillMode=process', 'TimeoutStopSec=500ms', STUBBORN] },
];

describe('properties that a unit rarely has, with systemd and with dynuser-run', () => {
  let machine: Machine;

  before(async () => {
    const sources = 'files dynuser systemd';
    machine = await Machine.boot({ init: 'systemd', stage: true, nsswitch: { passwd: sources, group: sources } });
    for (const { name, lines, ...more } of [...STARTS, ...STOPPED]) {
      const type = 'isGood' in more ? 'Type=exec' : 'Type=oneshot';
      await machine.write(`${UNIT_FILES}/rarer-${name}.service`, ['[Service]', type, ...lines, ''].join('\n'));
    }
    await machine.write('/usr/local/lib/make-terminal', MAKE_TERMINAL);
    await machine.write('/usr/local/lib/reader', READER);
    await machine.sh(`mkdir -p ${ROOT}/usr ${ROOT}/var/lib/record ${ROOT}/proc ${ROOT}/sys ${ROOT}/dev ${ROOT}/run ${ROOT}/etc
      touch ${ROOT}/in-other
      for name in bin lib lib64 sbin; do [ ! -e /usr/$name ] || ln -s usr/$name ${ROOT}/$name; done
      mount --bind /usr ${ROOT}/usr; mount --make-rshared /`);
    // What the manager itself has: it gives that to no service by itself.
    const environment = ENVIRONMENT.map(variable => `"${variable}"`).join(' ');
    await machine.write(
      '/etc/systemd/system.conf.d/environment.conf',
      `[Manager]\nManagerEnvironment=${environment}\n`,
    );
    await machine.output(['systemctl', 'daemon-reexec']);
    await machine.output(['systemctl', 'start', 'dynuserd.socket']);
    await machine.output(['systemd-run', '--quiet', 'perl', '/usr/local/lib/make-terminal']);
    await until('the terminal is there', async () => (await machine.run(['test', '-e', TERMINAL])).status === 0);
  });
  after(() => machine.stop());

  const isNoted = async (file: string): Promise<boolean> =>
    (await machine.run(['test', '-e', `/var/lib/record/${file}`])).status === 0;
  const record = (): Promise<string> => machine.output(['cat', RECORD]);
  const empty = (): Promise<string> =>
    machine.sh(`rm -rf /var/lib/record; install -d -m 1777 /var/lib/record; install -m 666 /dev/null ${RECORD}`);

  /** @returns whether it went well, and what was noted */
  const recorded = async (name: string, argv: readonly string[]): Promise<string> => {
    await empty();
    const withTerminal = name.startsWith('terminal-');
    if (withTerminal) {
      await machine.output(['stty', '-F', TERMINAL, 'rows', '3', 'cols', '4', '-echo', '-icanon']);
      await machine.output(['systemd-run', '--quiet', '--collect', '--unit=reader', 'perl', '/usr/local/lib/reader']);
      await until('somebody has the terminal open', () => isNoted('open'));
    }
    const { status, stderr } = await machine.run(argv);
    if (name === 'terminal-hangup-yes') {
      await until('whoever had the terminal open loses it', () => isNoted('lost'));
    } else if (withTerminal) {
      assert.equal(await isNoted('lost'), false);
      await machine.output(['systemctl', 'stop', 'reader.service']);
    }
    return [status === 0 ? 'good' : `bad: ${stderr}`, await record()].join('\n');
  };

  for (const { name } of STARTS) {
    it(name, async () => {
      const unit = `rarer-${name}.service`;
      const theirs = await recorded(name, ['systemctl', 'start', unit]);
      const ours = await recorded(name, [
        ...STARTER,
        'env',
        ...ENVIRONMENT,
        'dynuser-run',
        `--unit-file=${UNIT_FILES}/${unit}`,
      ]);
      assert.match(theirs, /^good\n/);
      assert.equal(ours, theirs);
    });
  }

  it('RootDirectoryStartOnly: a command before the service is refused, since all have one root directory here', async () => {
    const unit = `${UNIT_FILES}/rarer-refused.service`;
    const lines = [
      `RootDirectory=${ROOT}`,
      'RootDirectoryStartOnly=yes',
      'ExecStartPre=/bin/true',
      'ExecStart=/bin/true',
    ];
    await machine.write(unit, `[Service]\n${lines.join('\n')}\n`);
    const { status, stderr } = await machine.run(['dynuser-run', `--unit-file=${unit}`]);
    assert.equal(status, 125);
    assert.match(stderr, /RootDirectoryStartOnly=: "\/bin\/true" would need another root directory/);
  });

  /** Starts a service and stops it. @returns what it noted, and whether it runs on */
  const lived = async (start: readonly string[], stop: readonly string[], isGood: boolean): Promise<string> => {
    await empty();
    await machine.output(start);
    await until('the service has begun', async () => (await record()) !== '');
    assert.equal((await machine.run(stop)).status === 0, isGood);
    const alive = await machine.run(['pgrep', '-f', `sh -c .*${RECORD}`]);
    if (alive.status === 0) {
      await machine.output(['pkill', '-KILL', '-f', `sh -c .*${RECORD}`]);
    }
    return `${await record()}\n${alive.status === 0 ? 'runs on' : 'has ended'}`;
  };

  for (const { name, isGood, more = '' } of STOPPED) {
    it(`${name}: a service that does not end by SIGTERM`, async () => {
      const unit = `rarer-${name}.service`;
      const launcher = ['dynuser-run', `--unit-file=${UNIT_FILES}/${unit}`];
      const theirs = await lived(['systemctl', 'start', unit], ['systemctl', 'stop', unit], true);
      const run = ['systemd-run', '--quiet', '--collect', `--unit=ours-${name}`, ...launcher];
      const ours = await lived(run, [...STARTER, ...launcher, '--stop'], isGood);
      assert.equal(ours.replace('runs on', `${more}runs on`), theirs);
      await new Installed(machine).untilNothingIsKept();
    });
  }

  for (const prefix of ['yes', 'no']) {
    it(`SyslogLevelPrefix=${prefix}: what a line in the journal begins with`, async () => {
      const name = `rarer-prefix-${prefix}.service`;
      const identifier = (who: string) => `SyslogIdentifier=${who}-${prefix}`;
      const lines = ['StandardOutput=journal', 'SyslogLevel=notice', `SyslogLevelPrefix=${prefix}`];
      const script = 'echo "<3>bad"; echo good';
      const properties = (who: string) => [...lines, identifier(who)].map(line => `-p${line}`);
      await machine.output([
        'systemd-run',
        '--wait',
        '--quiet',
        `--unit=${name}`,
        ...properties('theirs'),
        'sh',
        '-c',
        script,
      ]);
      await machine.output(['dynuser-run', ...properties('ours'), 'sh', '-c', script]);
      const read = async (who: string): Promise<string> =>
        (await machine.output(['journalctl', '-t', `${who}-${prefix}`, '-o', 'json', '-q', '--no-pager']))
          .split('\n')
          .filter(line => line !== '')
          .map(line => JSON.parse(line))
          .map(({ MESSAGE, PRIORITY }) => `${MESSAGE} ${PRIORITY}`)
          .join('\n');
      await until(
        'the journal has the lines',
        async () => (await read('ours')) !== '' && (await read('theirs')) !== '',
      );
      assert.equal(await read('ours'), await read('theirs'));
    });
  }

  it('RuntimeRandomizedExtraSec: what is added to the time differs, and is no more than it', async () => {
    await machine.write(
      `${UNIT_FILES}/rarer-random.service`,
      '[Service]\nType=exec\nDynamicUser=yes\nRuntimeMaxSec=60\nRuntimeRandomizedExtraSec=1h\nExecStart=/bin/sleep 600\n',
    );
    const times: number[] = [];
    for (let count = 0; count < 3; count++) {
      const name = `random-${count}`;
      const launcher = ['dynuser-run', `--unit-file=${UNIT_FILES}/rarer-random.service`, '-u', name];
      await machine.output(['systemd-run', '--quiet', '--collect', `--unit=${name}`, ...launcher]);
      const installed = new Installed(machine);
      let runtime: number | undefined;
      await until('the lease is there', async () => {
        const leases = JSON.parse((await installed.ctl(['list', '--json=short'])).stdout) as {
          unit: string;
          runtime?: number;
        }[];
        runtime = leases.find(({ unit }) => unit.startsWith(name))?.runtime;
        return runtime !== undefined;
      });
      times.push(runtime ?? 0);
      await machine.output(['systemctl', 'stop', `${name}.service`]);
    }
    assert.ok(
      times.every(time => time >= 60_000 && time <= 3_660_000),
      times.join(),
    );
    assert.equal(new Set(times).size, times.length, times.join());
  });
});
