/**
 * `npm run dev [-- --systemd]`: a throw-away machine with dynuser installed, its daemon running, and a shell in it. After each change of
 * the sources the daemon is built, installed and started again. The end of the shell is the end of the machine; nothing of it reaches
 * the host.
 */
import { parseArgs } from 'node:util';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { DYNUSER_NSSWITCH } from '../support/installed.ts';
import type { MachineProcess } from '../support/machine/process.ts';
import { Machine } from '../support/machine.ts';
import { until } from '../support/until.ts';
import { build, onChange } from './rebuild.ts';

const LOG = '/run/dynuserd.log';
const PROMPT = 'dynuser-dev# ';

interface Daemon {
  /** Starts what is installed; stops what ran before. */
  restart(): Promise<void>;
  /** where its log is, as one types it in the shell */
  readonly log: string;
}

/** The daemon as a process of a machine whose process 1 only reaps. */
function plainDaemon(machine: Machine): Daemon {
  let daemon: MachineProcess | undefined;
  return {
    async restart() {
      daemon?.kill('SIGTERM');
      await daemon?.ended;
      daemon = await machine.spawn(['sh', '-c', `exec dynuserd >>${LOG} 2>&1`]);
    },
    log: `tail -f ${LOG}`,
  };
}

/** The daemon as the units that are installed, below the real systemd. */
function systemdDaemon(machine: Machine): Daemon {
  return {
    async restart() {
      await machine.output(['systemctl', 'daemon-reload']);
      await machine.output(['systemctl', 'restart', 'dbus.socket', 'dynuserd.socket', 'dynuserd.service']);
    },
    log: 'journalctl -fu dynuserd',
  };
}

function say(text: string): void {
  process.stdout.write(`dev: ${text}\n`);
}

const { values } = parseArgs({ options: { systemd: { type: 'boolean', default: false } } });
const init = values.systemd ? 'systemd' : 'plain';
const machine = await Machine.boot({ init, stage: true, nsswitch: DYNUSER_NSSWITCH });
try {
  await machine.write('/etc/dynuser/dynuserd.conf', 'LogLevel=debug\n');
  const daemon = values.systemd ? systemdDaemon(machine) : plainDaemon(machine);
  const restart = async (): Promise<void> => {
    await daemon.restart();
    await until('dynuserd answers', async () => (await machine.run(['dynuserctl', 'list'])).status === 0);
  };
  await restart();
  onChange(async () => {
    if (!(await build())) {
      return;
    }
    try {
      await machine.output([process.execPath, `${CHECKOUT}dist/src/tooling/stage.js`, '/']);
      await restart();
      say('dynuserd was built and started again');
    } catch (error) {
      say(`${error instanceof Error ? error.message : error}; see its log: ${daemon.log}`);
    }
  });
  say(`dynuserd runs in this machine; its log: ${daemon.log}; try: dynuserctl acquire web.service`);
  await machine.attach(['bash', '--norc', '-i'], {
    PS1: PROMPT,
    HOME: '/root',
    TERM: process.env['TERM'] ?? 'dumb',
  });
} finally {
  await machine.stop();
}
// What watches the sources would keep this process.
process.exit(0);
