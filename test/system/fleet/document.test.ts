/** The files of docs/fleet.md: the programs that read them take them as they are. test/support/fleet/ sets hosts up in the same way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exampleFiles } from '../../support/examples.ts';
import { withInstalled } from '../../support/installed.ts';

const COMPANION = '/usr/lib/dynuser/dynuser-companion.service';

for (const heading of ['Set-up with etcd', 'Set-up with a directory', 'A registry shared by a group']) {
  test(`${heading}: the files are right`, () =>
    withInstalled({}, async ({ machine }) => {
      // What a heading has below another's is in place of a part of that.
      const above =
        heading === 'A registry shared by a group' ? exampleFiles('docs/fleet.md', 'Set-up with a directory') : [];
      const files = [...above, ...exampleFiles('docs/fleet.md', heading)];
      for (const { path, text } of files) {
        await machine.write(path, text);
      }
      const env = { CREDENTIALS_DIRECTORY: '/run/credentials/companion' };
      assert.equal(await machine.output(['dynuser-fleetd', '--check-config'], { env }), '/etc/dynuser/fleetd.conf: ok');
      await machine.output(['dynuserd', '--check-config']);
      assert.match(await machine.output(['dynuser-run', '--check', COMPANION]), /^1 of 1 unit accepted\.$/m);
      const dropIn = files.findLast(({ path }) => path.endsWith('/store.conf'));
      if (dropIn !== undefined) {
        await machine.write(dropIn.path, `${dropIn.text}NoSuchProperty=yes\n`);
        const { stdout, stderr } = await machine.run(['dynuser-run', '--check', COMPANION]);
        assert.match(stdout + stderr, /NoSuchProperty/, 'it is read as a drop-in');
      }
    }));
}
