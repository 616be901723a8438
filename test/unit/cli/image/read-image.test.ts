/** What is read of the directory of an image. Disk images need a daemon: they are in system/portable.test.ts. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { CommandFailure } from '../../../../src/cli/failure.ts';
import { findImage, readImage } from '../../../../src/cli/image/read-image.ts';

const RELEASE = 'ID=test\nVERSION_ID=1\n';
const UNITS = 'usr/lib/systemd/system';

describe('the directory of an image', { skip: process.geteuid?.() !== 0 && 'only root can have images' }, () => {
  let top = '';
  beforeEach(() => {
    top = mkdtempSync(`${tmpdir()}/dynuser-image-`);
  });
  afterEach(() => rmSync(top, { recursive: true }));

  /** Makes an image, with these files below its root. */
  function make(name: string, files: Readonly<Record<string, string>>) {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(`${top}/${name}/${path}`), { recursive: true, mode: 0o755 });
      writeFileSync(`${top}/${name}/${path}`, text, { mode: 0o644 });
    }
    return findImage(`${top}/${name}`);
  }
  const refused = (promise: Promise<unknown>, words: string) =>
    assert.rejects(promise, (error: unknown) => {
      assert.ok(error instanceof CommandFailure, String(error));
      assert.equal(error.message, words);
      return true;
    });

  it('has the units of its name, those that it masks apart, and none that leads nowhere', async () => {
    const web = make('web_1', {
      'etc/os-release': RELEASE,
      [`${UNITS}/web.service`]: 'x',
      [`${UNITS}/db.service`]: 'y',
    });
    symlinkSync('/dev/null', `${web.path}/${UNITS}/web-masked.service`);
    const { units, masked } = await readImage(web, [], undefined, false);
    assert.deepEqual(
      units.map(({ name, bytes }) => `${name} ${bytes}`),
      ['web.service x'],
    );
    assert.deepEqual(masked, ['web-masked.service']);
    symlinkSync('nowhere', `${web.path}/${UNITS}/web-lost.service`);
    await refused(
      readImage(web, [], undefined, false),
      `${web.path}: ${UNITS}/web-lost.service: it leads to no file of the image`,
    );
  });

  it('says together with its extensions which prefixes there may be', async () => {
    const web = make('web_1', { 'etc/os-release': `${RELEASE}PORTABLE_PREFIXES=web\n`, [`${UNITS}/web.service`]: '' });
    const more = make('more_1', { 'usr/lib/extension-release.d/extension-release.more_1': 'ID=_any\n' });
    const rest = 'has web, and not db; name prefixes that it has';
    const of = `${web.path}: PORTABLE_PREFIXES= of its os-release file`;
    await refused(readImage(web, [], ['db'], false), `${of} ${rest}`);
    await refused(readImage(web, [more], ['db'], false), `${of} and its extensions ${rest}`);
  });
});
