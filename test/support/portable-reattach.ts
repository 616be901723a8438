/** An image of portable services that comes in the place of another one, with one service manager. */
import assert from 'node:assert/strict';
import type { Machine } from './machine.ts';
import { IMAGE, IMAGE_STATE, makeImage, PLACES } from './portable-image.ts';
import { until } from './until.ts';

/** The next version of IMAGE. */
export const NEXT_IMAGE = '/srv/minimal_2';
const BLOCKED = '/etc/systemd/system.attached/minimal-tick.timer';

/** Makes the next version, which has another file and no timer. */
export async function makeNextImage(machine: Machine): Promise<void> {
  await makeImage(machine, NEXT_IMAGE);
  await machine.sh(`cd ${NEXT_IMAGE}/etc && echo next >image && rm systemd/system/minimal-tick.timer`);
}

/** Attaches IMAGE to a manager that runs, puts the next version in its place, and takes that away with its directories. */
export async function reattach(machine: Machine, manager: string): Promise<void> {
  const image = (...argv: string[]) => machine.run(['dynuserctl', 'image', ...argv]);
  const attached = (...argv: string[]) => machine.output(['dynuserctl', 'image', ...argv]);
  const lines = async () => (await machine.run(['cat', IMAGE_STATE])).stdout.split('\n').slice(0, -1);
  const isAttached = async (name: string) => {
    const { status, stdout } = await image('is-attached', name);
    return `${stdout.trim()} ${status}`;
  };
  await attached('attach', `--manager=${manager}`, '--now', IMAGE);
  await until(`a start by ${manager}`, async () => / image 0$/.test((await lines()).at(-1) ?? ''));
  assert.equal(await isAttached('minimal_1'), 'running 0');
  if (['runit', 's6'].includes(manager)) {
    assert.match((await image('reattach', NEXT_IMAGE)).stderr, /minimal runs; stop it first, or use --now/);
  } else {
    // One that runs is left alone, but for the timer that is gone; OpenRC has none.
    if (manager === 'systemd') {
      const { stderr } = await image('reattach', NEXT_IMAGE);
      assert.match(stderr, /minimal-tick\.timer runs; stop it first, or use --now/);
      await machine.output(['systemctl', 'stop', 'minimal-tick.timer']);
    }
    const before = (await lines()).length;
    await attached('reattach', NEXT_IMAGE);
    assert.deepEqual([(await lines()).length, await isAttached(IMAGE)], [before, 'detached 1']);
    await attached('reattach', IMAGE);
  }
  assert.match(await attached('reattach', '--now', NEXT_IMAGE), /^Attached minimal_2 in the place of minimal_1 to /);
  await until(`a start of the next version by ${manager}`, async () => / next 0$/.test((await lines()).at(-1) ?? ''));
  assert.equal(await isAttached(NEXT_IMAGE), 'running 0');
  assert.equal(await isAttached(IMAGE), 'detached 1');
  // The same one again, of which something is in the way: the former one stays.
  const blocked = manager === 'systemd' ? BLOCKED : undefined;
  if (blocked !== undefined) {
    await machine.sh(`echo mine >${blocked}`);
    const { status, stderr } = await image('reattach', '--now', IMAGE);
    assert.deepEqual([status, /it is on this host already/.test(stderr)], [1, true], stderr);
    await machine.sh(`rm ${blocked}`);
    assert.equal(await isAttached(NEXT_IMAGE), 'running 0');
  }
  await attached('detach', '--now', '--clean', NEXT_IMAGE);
  const traces = await machine.sh(`find ${PLACES} -name '*minimal*' 2>/dev/null; true`);
  assert.equal(traces, '', manager);
  assert.equal(await machine.sh('ls -d /var/lib/minimal /var/lib/private/minimal 2>/dev/null; true'), '', manager);
}
