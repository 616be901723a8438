import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { DYNUSER_NSSWITCH, Installed } from '../../support/installed.ts';
import { Machine } from '../../support/machine.ts';

/** Every mount of the machine, without what tells how full or how old one is. */
const TABLE = ['findmnt', '--list', '--noheadings', '-o', 'ID,TARGET,SOURCE,FSROOT,OPTIONS,PROPAGATION'];

/** Mounts of every kind: mapped, empty, bound, read-only, hidden, a private /dev. */
const PROPERTIES = [
  'StateDirectory=kept',
  'CacheDirectory=kept',
  'RuntimeDirectory=gone',
  'TemporaryFileSystem=/srv',
  'BindPaths=/mnt:/opt',
  'BindReadOnlyPaths=/usr:/media',
  'InaccessiblePaths=/home',
  'PrivateDevices=yes',
  'PrivateTmp=yes',
].flatMap(property => ['-p', property]);

test('where all mounts of the host are shared, as systemd makes them, none of a launch or of a probe gets there', async () => {
  const machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH, varLib: 'disk' });
  try {
    const host = new Installed(machine);
    await machine.output(['mount', '--make-rshared', '/']);
    const before = await machine.output(TABLE);
    assert.match(before, /^ *\d+ +\/ .* shared$/m);
    await host.startDaemon();

    const service = await machine.spawn([
      'dynuser-run',
      '-u',
      'web',
      ...PROPERTIES,
      '--',
      'sh',
      '-c',
      'echo $$; read _',
    ]);
    const [pid] = await once(service.stdout.setEncoding('utf8'), 'data');
    const inside = () => machine.output(['nsenter', '--target', String(pid).trim(), '--mount', ...TABLE]);
    const mounts = await inside();
    assert.match(mounts, /\/var\/lib\/private\/kept .*idmapped/, 'it has a mapped directory');
    assert.match(mounts, /^ *\d+ +\/srv +tmpfs /m);
    assert.equal(await machine.output(TABLE), before, 'while the service runs');
    // The other way they do: what is mounted on the host later is there in the service too, as with systemd.
    await machine.output(['mount', '-t', 'tmpfs', 'later', '/usr/games']);
    assert.match(await inside(), /\/usr\/games +later /);
    await machine.output(['umount', '/usr/games']);
    service.stdin.end();
    assert.equal(await service.ended, 1);

    const acquired = await host.ctl(['acquire', '--state-directory=kept', '--runtime-directory=x', 'web.service']);
    assert.equal(acquired.status, 0, acquired.stderr);
    await host.ctl(['release', 'web']);
    assert.equal(await machine.output(TABLE), before, 'once all has ended');
  } finally {
    await machine.stop();
  }
});
