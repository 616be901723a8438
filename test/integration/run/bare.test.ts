/** dynuser-run where there is nothing else, as in a container image of one program. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { VERSION } from '../../../src/core/version.ts';
import { LauncherHost } from './fake-daemon.ts';

const BARE = '/srv/bare';
/** What a dynamic program needs, which is all that is added for one: a static one has nothing but itself. */
const LIBRARIES = `mkdir -p ${BARE}/usr/lib && mount --bind /usr/lib ${BARE}/usr/lib
  cp -dr /lib /lib64 ${BARE} && if [ -d /usr/lib64 ]; then cp -r /usr/lib64 ${BARE}/usr; fi`;

describe('dynuser-run in a root without other programs', () => {
  let host: LauncherHost;
  before(async () => {
    host = await LauncherHost.boot();
    const script = `mkdir -p ${BARE}/etc ${BARE}/dev ${BARE}/run/dynuser
      cp /usr/bin/dynuser-run ${BARE} && mount --bind /run/dynuser ${BARE}/run/dynuser && mknod -m 666 ${BARE}/dev/null c 1 3
      if readelf -l ${BARE}/dynuser-run | grep -q INTERP; then ${LIBRARIES}; fi`;
    await host.machine.output(['sh', '-ec', script]);
  });
  after(() => host.stop());

  /** It becomes the one program that there is. */
  const launch = () => host.machine.run(['chroot', BARE, '/dynuser-run', '--', '/dynuser-run', '--version']);

  it('becomes a program, as whatever user and in whatever groups the plan says', async () => {
    for (const plan of [{}, { groups: [6, 7] }, { uid: 900, gid: 900, groups: [6] }]) {
      host.answer = host.planned(plan);
      const { status, stdout, stderr } = await launch();
      assert.deepEqual([status, stderr], [0, ''], JSON.stringify(plan));
      assert.ok(stdout.includes(VERSION));
    }
  });
});
