/** The daemon's entry point: argv and environment → configuration → start → exit status. */
import { fileURLToPath } from 'node:url';
import { DynuserError } from '../core/errors.ts';
import {
  FLEET_DIRECTORY,
  HISTORY_DIRECTORY,
  HISTORY_DIRECTORY_VARIABLE,
  RUNTIME_DIRECTORY,
  RUNTIME_DIRECTORY_VARIABLE,
} from '../core/paths.ts';
import { versionWords } from '../core/version.ts';
import { CONFIG_FILE, checkConfig, loadConfig } from '../daemon/config.ts';
import { LiveConfig } from '../daemon/live-config.ts';
import { createLogger } from '../daemon/logger.ts';
import { startDaemon } from '../daemon/main.ts';
import { raisePriority } from '../host/priority.ts';
import { takePassedDescriptors } from '../host/systemd/listen-fds.ts';
import { findManagerStore } from '../host/systemd/lock-store.ts';
import { openNotify } from '../host/systemd/notify.ts';
import { tierUpLate, tierUpSoonerLater } from '../host/tier-up.ts';
import { failWith, readOptions, stopOnSignal } from './program.ts';

const HELP = `Usage: dynuserd [OPTIONS]

Allocates dynamic users for the services of this host, and serves lookups of
them. Runs in the foreground, as root.

  --config=FILE  configuration to read (${CONFIG_FILE} if it exists)
  --check-config say whether the configuration is right, and start nothing
  --help         show this text
  --version      show the version
`;

/** Nobody needs the daemon, and the next connection starts it: by this the unit tells it from every other end. */
const EXIT_IDLE = 3;

async function main(): Promise<void> {
  const options = readOptions('dynuserd', HELP, {
    config: { type: 'string' },
    'check-config': { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
    version: { type: 'boolean' },
  });
  if (options.help === true || options.version === true) {
    process.stdout.write(options.help === true ? HELP : `dynuserd ${versionWords()}\n`);
    return;
  }
  if (options['check-config'] === true) {
    const { path, isThere } = checkConfig(options.config, process.env);
    process.stdout.write(`${path}: ${isThere ? 'ok' : 'ok, it does not exist: all settings are the usual ones'}\n`);
    return;
  }
  if (process.geteuid?.() !== 0) {
    throw new DynuserError('NotPermitted', 'dynuserd must run as root; start it by its service, or with sudo');
  }
  tierUpLate();
  // Whatever the supervisor's mask is, modes are what the code says.
  process.umask(0o022);
  const environment = { ...process.env };
  const config = new LiveConfig(() => loadConfig(options.config, environment));
  const logger = createLogger(config.current.logLevel, environment['JOURNAL_STREAM']);
  const unraised = raisePriority();
  if (unraised !== undefined) {
    logger.info(
      `no higher priority for this process: ${unraised}; allow it one (LimitNICE=-5, CAP_SYS_NICE) if many services start at once`,
    );
  }
  let reload: (() => void) | undefined;
  let isReloadDue = false;
  process.on('SIGHUP', () => {
    isReloadDue = reload === undefined;
    reload?.();
  });
  // Before the variables are taken out of the environment.
  const manager = findManagerStore(process.env, process.pid);
  const passed = takePassedDescriptors(process.env, process.pid);
  // A daemon with another runtime directory has other users: they are not to be mixed up with those of the usual one.
  const isSecond = (environment[RUNTIME_DIRECTORY_VARIABLE] ?? RUNTIME_DIRECTORY) !== RUNTIME_DIRECTORY;
  const daemon = await startDaemon({
    config,
    logger,
    helper: fileURLToPath(new URL('./dynuser-helper', import.meta.url)),
    notify: openNotify(process.env),
    historyDirectory: environment[HISTORY_DIRECTORY_VARIABLE] || (isSecond ? undefined : HISTORY_DIRECTORY),
    fleetDirectory: isSecond ? undefined : FLEET_DIRECTORY,
    busAddress: process.env['DBUS_SYSTEM_BUS_ADDRESS'],
    sockets: passed.sockets,
    kept: { manager, stored: passed.stored },
  });
  tierUpSoonerLater();
  stopOnSignal(() => daemon.stop(), fail);
  daemon.idle.then(() => process.exit(EXIT_IDLE)).catch(fail);
  reload = daemon.reload;
  if (isReloadDue) {
    daemon.reload();
  }
}

function fail(error: unknown): never {
  failWith('dynuserd', error);
}

main().catch(fail);
