/** What is on the host already when an image is attached. What attach makes, and what is left of that, is in integration/cli/image.test.ts. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, test } from 'node:test';
import { CommandFailure } from '../../../../src/cli/failure.ts';
import { makeAll } from '../../../../src/cli/image/attachments.ts';
import type { Entry } from '../../../../src/cli/image/layout.ts';

let top = '';
beforeEach(() => {
  top = mkdtempSync(`${tmpdir()}/dynuser-attachments-`);
});
afterEach(() => rmSync(top, { recursive: true }));

test('a directory that is shared with others may be there, and nothing else', () => {
  mkdirSync(`${top}/shared`);
  mkdirSync(`${top}/shared/own`);
  writeFileSync(`${top}/shared/file`, '');
  const shared: Entry = { kind: 'directory', path: `${top}/shared`, shared: true };
  const image = { name: 'web', image: '/srv/web', extensions: [], manager: 'runit', profile: 'default' } as const;
  for (const entry of [
    { kind: 'directory', path: `${top}/shared/own` },
    { kind: 'file', path: `${top}/shared/file`, bytes: Buffer.from(''), mode: 0o644 },
  ] satisfies Entry[]) {
    assert.throws(
      () => makeAll({ ...image, runtime: true, services: [] }, [shared, entry]),
      new CommandFailure(`${entry.path}: it is on this host already, and not of this image; move it away first`),
    );
  }
});
