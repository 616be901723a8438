/** A message bus of a test's own, and busctl on it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { until } from '../../support/until.ts';

const DEADLINE_MS = 15_000;

/** Everything is allowed: who may send what is the business of the system bus, and of the tests on a real one. */
const CONFIG = (socket: string) => `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=${socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow eavesdrop="true"/>
  </policy>
</busconfig>
`;

/** The name of a socket is there before anybody listens on it. */
async function accepts(socket: string): Promise<boolean> {
  const stream = connect(socket);
  try {
    await once(stream, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    stream.destroy();
  }
}

export interface Output {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class PrivateBus {
  readonly #directory = mkdtempSync(`${tmpdir()}/dynuser-bus-`);
  readonly socket = `${this.#directory}/bus`;
  #daemon: ChildProcess | undefined;

  async start(): Promise<void> {
    const config = `${this.#directory}/bus.conf`;
    writeFileSync(config, CONFIG(this.socket));
    this.#daemon = spawn('dbus-daemon', [`--config-file=${config}`, '--nofork', '--nopidfile', '--nosyslog'], {
      stdio: 'ignore',
    });
    await until('dbus-daemon listens', () => accepts(this.socket));
  }

  /** Kills the bus; what listens on its socket is gone with it. */
  async stop(): Promise<void> {
    const daemon = this.#daemon;
    this.#daemon = undefined;
    if (daemon !== undefined) {
      const ended = once(daemon, 'exit');
      daemon.kill('SIGKILL');
      await ended;
      rmSync(this.socket, { force: true });
    }
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  busctl(...argv: readonly string[]): Promise<Output> {
    return runToEnd('busctl', [`--address=unix:path=${this.socket}`, ...argv]);
  }

  /** Starts busctl and leaves it running; end it by kill(). */
  background(...argv: readonly string[]): ChildProcess & { readonly text: () => string } {
    const child = spawn('busctl', [`--address=unix:path=${this.socket}`, ...argv], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
    }
    return Object.assign(child, { text: () => text });
  }
}

async function runToEnd(program: string, argv: readonly string[]): Promise<Output> {
  const child = spawn(program, argv, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 2 * DEADLINE_MS });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  await once(child, 'close');
  return { status: child.exitCode, stdout: stdout.trimEnd(), stderr: stderr.trimEnd() };
}

/** Waits until something is so. @throws Error that says what is not */
