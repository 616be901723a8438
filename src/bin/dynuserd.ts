/** The daemon's entry point: argv and environment → configuration → start → exit status. */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DynuserError } from '../core/errors.ts';
import { VERSION } from '../core/version.ts';
import { CONFIG_FILE, loadConfig } from '../daemon/config.ts';
import { LiveConfig } from '../daemon/live-config.ts';
import { createLogger } from '../daemon/logger.ts';
import { startDaemon } from '../daemon/main.ts';
import { takePassedDescriptors } from '../host/systemd/listen-fds.ts';
import { openNotify } from '../host/systemd/notify.ts';
import { findManagerStore } from '../host/systemd/open-lock-store.ts';
import { tierUpLater } from '../host/tier-up.ts';

const HELP = `Usage: dynuserd [OPTIONS]

Allocates dynamic users for the services of this host, and serves lookups of
them. Runs in the foreground, as root.

  --config=FILE  configuration to read (${CONFIG_FILE} if it exists)
  --help         show this text
  --version      show the version
`;

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
/** Nobody needs the daemon, and the next connection starts it: by this the unit tells it from every other end. */
const EXIT_IDLE = 3;

async function main(): Promise<void> {
  tierUpLater();
  const options = readOptions();
  if (options.help === true || options.version === true) {
    process.stdout.write(options.help === true ? HELP : `dynuserd ${VERSION}\n`);
    return;
  }
  if (process.geteuid?.() !== 0) {
    throw new DynuserError('NotPermitted', 'dynuserd must run as root; start it by its service, or with sudo');
  }
  // Whatever the supervisor's mask is, modes are what the code says.
  process.umask(0o022);
  const environment = { ...process.env };
  const file = options.config === undefined ? {} : { file: options.config };
  const config = new LiveConfig(() => loadConfig({ ...file, environment }));
  const logger = createLogger(config.current.logLevel);
  let reload: (() => void) | undefined;
  let isReloadDue = false;
  process.on('SIGHUP', () => {
    isReloadDue = reload === undefined;
    reload?.();
  });
  // Before the variables are taken out of the environment.
  const manager = findManagerStore(process.env, process.pid);
  const passed = takePassedDescriptors(process.env, process.pid);
  const daemon = await startDaemon({
    config,
    logger,
    helper: fileURLToPath(new URL('./dynuser-helper', import.meta.url)),
    notify: openNotify(process.env),
    busAddress: process.env['DBUS_SYSTEM_BUS_ADDRESS'],
    sockets: passed.sockets,
    kept: { manager, stored: passed.stored },
  });
  stopOnSignal(() => daemon.stop().then(() => process.exit(0)));
  daemon.idle.then(() => process.exit(EXIT_IDLE)).catch(fail);
  reload = daemon.reload;
  if (isReloadDue) {
    daemon.reload();
  }
}

function readOptions(): { config?: string; help?: boolean; version?: boolean } {
  try {
    const options = { config: { type: 'string' }, help: { type: 'boolean' }, version: { type: 'boolean' } } as const;
    return parseArgs({ options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    process.stderr.write(`dynuserd: ${error instanceof Error ? error.message : String(error)}\n${HELP}`);
    process.exit(EXIT_USAGE);
  }
}

/** The first of the two signals stops the daemon, a second one while it stops ends it at once. */
function stopOnSignal(stop: () => Promise<void>): void {
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) {
        process.exit(EXIT_FAILED);
      }
      stopping = true;
      stop().catch(fail);
    });
  }
}

function fail(error: unknown): never {
  const words = isExpected(error) ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`dynuserd: ${words}\n`);
  process.exit(EXIT_FAILED);
}

/** What the host refused is a sentence; an error in this code shows its stack. */
function isExpected(error: unknown): error is Error {
  return error instanceof DynuserError || (error instanceof Error && 'syscall' in error);
}

main().catch(fail);
