/** The entry point of the companion: argv and environment → configuration → start → exit status. */
import { COMPANION_SOCKET } from '../core/paths.ts';
import { versionWords } from '../core/version.ts';
import { CONFIG_FILE, ConfigError, loadConfig } from '../fleetd/config.ts';
import { startFleetd } from '../fleetd/main.ts';
import { PeerReader } from '../host/processes/peer.ts';
import { openNotify } from '../host/systemd/notify.ts';
import { failWith, readOptions, stopOnSignal } from './program.ts';

const HELP = `Usage: dynuser-fleetd [OPTIONS]

Keeps the bindings of names to UIDs that are the same on all hosts of a fleet,
for dynuserd of this host. Runs in the foreground, as a user that is not root.

  --config=FILE  configuration to read (${CONFIG_FILE})
  --socket=PATH  where root asks (${COMPANION_SOCKET})
  --check-config say whether the configuration is right, and start nothing
  --help         show this text
  --version      show the version
`;

function log(line: string): void {
  process.stderr.write(`dynuser-fleetd: ${line}\n`);
}

async function main(): Promise<void> {
  const options = readOptions('dynuser-fleetd', HELP, {
    config: { type: 'string' },
    socket: { type: 'string' },
    'check-config': { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
    version: { type: 'boolean' },
  });
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
  stopOnSignal(() => fleetd.stop(), fail);
  notify({ state: 'ready', status: `serves the fleet ${config.fleet}` });
}

function fail(error: unknown): never {
  failWith('dynuser-fleetd', error, error instanceof ConfigError);
}

main().catch(fail);
