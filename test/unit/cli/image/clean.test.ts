/** What is removed of the services of an image that is cleaned, and what an attack on the way to it gets. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { attempt } from '../../../../src/cli/attempt.ts';
import { CommandFailure } from '../../../../src/cli/failure.ts';
import type { Attachment } from '../../../../src/cli/image/attachments.ts';
import { placesOfAttachment, removePlace } from '../../../../src/cli/image/clean.ts';

let top = '';
beforeEach(() => {
  top = mkdtempSync(`${tmpdir()}/dynuser-clean-`);
  mkdirSync(`${top}/base`);
});
afterEach(() => rmSync(top, { recursive: true }));

describe('the places of an attachment', () => {
  /** @param units the files of its units, with their texts */
  function attachment(units: Readonly<Record<string, string>>, services: readonly string[]): Attachment {
    for (const [name, text] of Object.entries(units)) {
      writeFileSync(`${top}/${name}`, text);
    }
    const paths = Object.keys(units).map(name => `${top}/${name}`);
    return {
      ...{ name: 'web', image: '/srv/web', extensions: [], manager: 'runit', profile: 'default', runtime: false },
      ...{ services, complete: true },
      made: [
        { kind: 'directory', path: `${top}/other.service` },
        ...paths.map(path => ({ kind: 'file' as const, path, digest: '' })),
        { kind: 'link', path: `${top}/link.service`, target: '/dev/null' },
      ],
    };
  }

  it('are those of all of its services, each once, and what is in another one first', () => {
    const units = {
      'web.service': '[Service]\nExecStart=/bin/true\nStateDirectory=web web/deep/er\nCacheDirectory=web\n',
      'mail.service': '[Service]\nExecStart=/bin/true\nStateDirectory=web\n',
      'web.timer': '[Timer]\n',
    };
    const places = placesOfAttachment(attachment(units, ['web', 'mail'])).map(({ base, path }) => `${base}/${path}`);
    const depth = places.map(path => path.split('/').length);
    assert.deepEqual(
      depth,
      [...depth].sort((one, other) => other - one),
      places.join(),
    );
    assert.equal(new Set(places).size, places.length);
    assert.ok(places.some(path => /^\/var\/lib\/(?:private\/)?web\/deep\/er$/.test(path)));
    assert.ok(places.some(path => /^\/var\/cache\/(?:private\/)?web$/.test(path)));
    assert.ok(places.some(path => /^\/var\/lib\/(?:private\/)?web$/.test(path)));
  });

  it('of a template are those of the instances that it was attached with', () => {
    const units = { 'web@.service': '[Service]\nExecStart=/bin/true\nStateDirectory=web-%i\n' };
    const names = (services: readonly string[]) =>
      new Set(placesOfAttachment(attachment(units, services)).map(({ path }) => path.replace(/^private\//, '')));
    assert.deepEqual(names(['web@a', 'web@b', 'other', 'mail@c']), new Set(['web-a', 'web-b']));
    assert.deepEqual(names([]), new Set());
  });
});

describe('a place', () => {
  /** A helper that empties the directory it is given, as dynuser-helper does, or does what the script says. */
  function helper(script = '[ "$*" = "tree remove" ] && cd -P /proc/self/fd/3 && rm -rf ./*'): string {
    writeFileSync(`${top}/helper`, `#!/bin/sh\nPATH=/usr/bin:/bin\n${script}\n`);
    chmodSync(`${top}/helper`, 0o755);
    return `${top}/helper`;
  }
  const remove = (path: string, script?: string): Promise<void> =>
    removePlace(helper(script), { base: `${top}/base`, path } as never);

  it('goes with all that is in it, and what it is in stays', async () => {
    mkdirSync(`${top}/base/above/web/deep`, { recursive: true });
    writeFileSync(`${top}/base/above/web/deep/file`, '');
    writeFileSync(`${top}/base/above/other`, '');
    await remove('above/web');
    assert.deepEqual(readdirSync(`${top}/base/above`), ['other']);
    mkdirSync(`${top}/base/web`);
    await remove('web');
    assert.deepEqual(readdirSync(`${top}/base`), ['above']);
  });

  it('that is not there, or is a file, is left', async () => {
    writeFileSync(`${top}/base/file`, '');
    await remove('nothing');
    await remove('nothing/web');
    await remove('file/web');
    await remove('file');
    assert.deepEqual(readdirSync(`${top}/base`), ['file']);
  });

  it('that is a link goes without what it leads to, and a link on the way is not followed', async () => {
    mkdirSync(`${top}/others/web`, { recursive: true });
    writeFileSync(`${top}/others/web/file`, '');
    symlinkSync(`${top}/others`, `${top}/base/link`);
    await remove('link/web');
    await remove('link/web/file');
    assert.ok(existsSync(`${top}/others/web/file`));
    assert.deepEqual(readdirSync(`${top}/base`), ['link']);
    await remove('link');
    assert.deepEqual([readdirSync(`${top}/base`), existsSync(`${top}/others/web/file`)], [[], true]);
  });

  it('that the helper cannot empty stays, and its last words say why', async () => {
    mkdirSync(`${top}/base/web`);
    const failing = (message: string) => (error: unknown) =>
      error instanceof CommandFailure && assert.deepEqual([error.message, error.status], [message, 1]) === undefined;
    await assert.rejects(
      remove('web', "echo first; printf 'the last\\033 reason\\n'; exit 3"),
      failing(`${top}/base/web cannot be removed: the last\\x1b reason`),
    );
    await assert.rejects(
      remove('web', 'exit 3'),
      failing(`${top}/base/web cannot be removed: the helper ended with the status 3`),
    );
    // However much it says.
    await assert.rejects(
      remove('web', 'for i in 1 2 3 4 5 6; do printf %01000d 0; done; echo 1; exit 3'),
      ({ message }: Error) => message.length < 5_000 && message.endsWith('01'),
    );
    await assert.rejects(removePlace(`${top}/none`, { base: `${top}/base`, path: 'web' } as never), /ENOENT/);
    assert.ok(statSync(`${top}/base/web`).isDirectory());
  });

  it('is held open no longer than it takes', async () => {
    const held = () =>
      readdirSync('/proc/self/fd').flatMap(name => {
        const target = attempt(() => readlinkSync(`/proc/self/fd/${name}`));
        return target?.startsWith(top) === true ? [target] : [];
      });
    mkdirSync(`${top}/base/a/b`, { recursive: true });
    for (const path of ['a/nothing', 'a/b', 'nothing/web', 'a']) {
      await remove(path);
    }
    assert.deepEqual(held(), []);
    mkdirSync(`${top}/base/a`);
    await assert.rejects(remove('a', 'exit 1'));
    assert.deepEqual(held(), []);
  });
});
