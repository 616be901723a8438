/** A death at each call by which attach and detach change the host: the next command removes all of it, whatever was there. */
// time limit: 900 s
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DYNUSER_NSSWITCH } from '../support/installed.ts';
import { Machine } from '../support/machine.ts';
import { IMAGE, killedAt, makeImage, PLACES } from '../support/portable-image.ts';

const CALLS = ['mkdir', 'link', 'symlink', 'rename', 'unlink', 'rmdir'];
/** More calls of one kind than there are. */
const CALLS_MAX = 100;

describe('an attach or a detach that is killed', () => {
  let machine: Machine;
  let untouched: readonly string[];
  before(async () => {
    machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH });
    await makeImage(machine);
    await machine.sh('mkdir -p /etc/service');
    // What is shared, and not made by one image alone, is there before.
    await machine.run(['dynuserctl', 'image', 'attach', '--manager=runit', IMAGE]);
    await machine.run(['dynuserctl', 'image', 'detach', IMAGE]);
    untouched = await present();
  });
  after(() => machine?.stop());

  const present = async (): Promise<readonly string[]> =>
    (await machine.sh(`find ${PLACES} 2>/dev/null | sort; true`)).split('\n').filter(path => path !== '/etc/dynuser');

  for (const manager of ['systemd', 'runit']) {
    for (const action of ['attach', 'detach']) {
      it(`leaves nothing of ${action} with ${manager}, once another detach has run`, async () => {
        let deaths = 0;
        for (const call of CALLS) {
          for (let at = 1; at <= CALLS_MAX; at++) {
            const attach = ['dynuserctl', 'image', 'attach', `--manager=${manager}`, '--enable', '--no-reload', IMAGE];
            const detach = ['dynuserctl', 'image', 'detach', '--no-reload', IMAGE];
            if (action === 'detach') {
              await machine.output(attach);
            }
            const { status } = await machine.run([...killedAt(call, at), ...(action === 'attach' ? attach : detach)]);
            await machine.run(detach);
            assert.deepEqual(await present(), untouched, `${call} ${at} of ${action}`);
            if (status === 0) {
              break;
            }
            deaths++;
          }
        }
        assert.ok(deaths > 20, `${deaths} deaths`);
      });
    }
  }
});
