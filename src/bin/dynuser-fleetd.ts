/** The entry point of the companion: argv and environment → configuration → start → exit status. */
import { parseArgs } from 'node:util';
import { DynuserError, reasonOf } from '../core/errors.ts';
import { COMPANION_SOCKET } from '../core/paths.ts';
import { versionWords } from '../core/version.ts';
import { CONFIG_FILE, ConfigError, loadConfig } from '../fleetd/config.ts';
import { startFleetd } from '../fleetd/main.ts';
import { PeerReader } from '../host/processes/peer.ts';
import { openNotify } from '../host/systemd/notify.ts';

const HELP = `Usage: dynuser-fleetd [OPTIONS]

Keeps the bindings of names to UIDs that are the same on all hosts of a fleet,
for dynuserd of this host. Runs in the foreground, as a user that is not root.

  --config=FILE  configuration to read (${CONFIG_FILE})
  --socket=PATH  where root asks (${COMPANION_SOCKET})
  --check-config say whether the configuration is right, and start nothing
  --help         show this text
  --version      show the version
`;

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

function readOptions() {
  try {
    const options = {
      config: { type: 'string' },
      socket: { type: 'string' },
      'check-config': { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean' },
    } as const;
    return parseArgs({ options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    process.stderr.write(`dynuser-fleetd: ${reasonOf(error)}\n${HELP}`);
    process.exit(EXIT_USAGE);
  }
}

function log(line: string): void {
  process.stderr.write(`dynuser-fleetd: ${line}\n`);
}

async function main(): Promise<void> {
  const options = readOptions();
  if (options.help === true || options.version === true) {
    process.stdout.write(options.help === true ? HELP : `dynuser-fleetd ${versionWords()}\n`);
    return;
  }
  const path = options.config ?? CONFIG_FILE;
  const config = loadConfig(path, process.env);
  if (options['check-config'] === true) {
    process.stdout.write(`${path}: ok\n`);
    return;
  }
  const notify = openNotify(process.env);
  const fleetd = await startFleetd({
    config,
    socket: options.socket ?? COMPANION_SOCKET,
    peers: new PeerReader(),
    log,
  });
  let isStopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (isStopping) {
        process.exit(EXIT_FAILED);
      }
      isStopping = true;
      fleetd.stop().then(() => process.exit(0), fail);
    });
  }
  notify({ state: 'ready', status: `serves the fleet ${config.fleet}` });
}

function fail(error: unknown): never {
  const isExpected =
    error instanceof ConfigError || error instanceof DynuserError || (error instanceof Error && 'syscall' in error);
  log(isExpected || !(error instanceof Error) ? reasonOf(error) : (error.stack ?? error.message));
  process.exit(EXIT_FAILED);
}

main().catch(fail);
