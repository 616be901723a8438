import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect } from 'dynuser';

const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
process.once('SIGINT', () => stop.abort());

/** Runs a command as the dynamic user of a unit, and again when it ends, until the manager stops. */
async function supervise(client: Client, unit: string, command: string): Promise<void> {
  while (!stop.signal.aborted) {
    // The user lives as long as the lease. Its end, here or with this process, ends what still runs as that user.
    await using lease = await client.acquire({
      unit,
      // /var/lib/<name> is the user's, and its files are there the next time, whichever UID it has then.
      stateDirectory: [unit.replace(/\.service$/, '')],
      exposeDirectories: true,
    });
    const child = spawn('/bin/sh', ['-c', command], {
      uid: lease.uid,
      gid: lease.gid,
      cwd: '/',
      env: { PATH: process.env['PATH'], USER: lease.userName, LOGNAME: lease.userName, ...lease.environment },
      stdio: 'inherit',
      // The UID of a lost lease may soon be somebody else's: nothing may keep running with it.
      signal: AbortSignal.any([stop.signal, lease.signal]),
    });
    child.on('error', error => error.name === 'AbortError' || console.error(`${unit}: ${error.message}`));
    // It has ended, never began, or was told to go. What still runs as the user ends with the lease.
    await new Promise(resolve => child.once('close', resolve).once('error', resolve));
    await sleep(100, undefined, { signal: stop.signal }).catch(() => {});
  }
}

const client = await connect();
client.on('disconnected', () => console.error('dynuserd is away; the services keep running'));
client.on('reconnected', leases => console.error(`dynuserd is back, and ${leases.length} users with it`));
client.on('lost', (lease, reason) => console.error(`${lease.unit}: ${reason.message}`));

// node service-manager.js 'web.service=exec python3 -m http.server' 'job.service=sleep 60'
const services = process.argv.slice(2).map(argument => argument.split(/=(.*)/s));
await Promise.all(services.map(([unit = '', command = '']) => supervise(client, unit, command)));
await client.close();
