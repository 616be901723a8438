/** What is made for an attached image: in which order, and with nothing in it that an image could have chosen. */
import assert from 'node:assert/strict';
import { basename, dirname } from 'node:path';
import { describe, it } from 'node:test';
import { type AttachOptions, type Entry, layOut, markOf, namesOfMark } from '../../../../src/cli/image/layout.ts';
import { MANAGERS } from '../../../../src/cli/image/manager-names.ts';
import { ownProfile, PROFILES } from '../../../../src/cli/image/profiles.ts';
import type { Extension, ImageContents } from '../../../../src/cli/image/read-image.ts';
import { judgeUnitFile } from '../../../../src/cli/judge-unit.ts';
import { answerQuestion } from '../../../../src/cli/launch-answers.ts';

const SERVICE =
  '[Service]\nExecStart=/bin/server\nExecReload=/bin/reload\nExecStop=/bin/stop\nExecStopPost=/bin/post\n';

function contents(units: Readonly<Record<string, string>>, more: Partial<ImageContents> = {}): ImageContents {
  const image = more.image ?? { name: 'web_1', path: '/srv/web_1', isDisk: false };
  return {
    image,
    release: Buffer.from(''),
    variables: new Map([
      ['ID', 'debian'],
      ['VERSION_ID', '13'],
    ]),
    extensions: [],
    prefixes: ['web'],
    units: Object.entries(units).map(([name, text]) => ({ name, bytes: Buffer.from(text), origin: image })),
    masked: [],
    ...more,
  };
}

const OPTIONS: AttachOptions = {
  manager: 'systemd',
  runtime: false,
  profile: '[Service]\nDynamicUser=yes\n',
  enable: true,
  isForced: false,
  instances: [],
  scanDirectory: '/etc/service',
  isNamed: () => false,
};

function textOf(entries: readonly Entry[], path: string): string {
  const entry = entries.find(each => each.path === path);
  assert.ok(entry?.kind === 'file', `${path} is not among ${entries.map(each => each.path)}`);
  return entry.bytes.toString();
}

describe('the layout of an attached image', () => {
  for (const manager of MANAGERS) {
    it(`has each thing after what it is in, and a unit after its drop-ins, for ${manager}`, () => {
      const { entries } = layOut(contents({ 'web.service': SERVICE }), { ...OPTIONS, manager });
      const paths = entries.map(({ path }) => path);
      assert.deepEqual(
        paths.filter((path, index) => paths.indexOf(path) !== index && !isShared(entries[index])),
        [],
      );
      for (const [index, path] of paths.entries()) {
        const above = paths.indexOf(dirname(path));
        assert.ok(above < index, `${path} is before ${dirname(path)}`);
      }
      const unit = paths.findIndex(path => path.endsWith('/web.service'));
      assert.ok(unit > paths.findIndex(path => path.endsWith('/20-portable.conf')));
      assert.ok(unit > paths.findIndex(path => path.endsWith('/10-profile.conf')));
      const isStarted = (path: string): boolean => /^\/etc\/(?:init\.d|runlevels\/default|service)\/|\/run$/.test(path);
      assert.ok(paths.every((path, index) => !isStarted(path) || index > unit));
    });
  }

  it('gives a service a disk image as its root', () => {
    const image = { name: 'web_1.raw', path: '/srv/web_1.raw', isDisk: true };
    const { entries } = layOut(contents({ 'web.service': SERVICE }, { image }), OPTIONS);
    const dropIn = textOf(entries, '/etc/systemd/system.attached/web.service.d/20-portable.conf');
    assert.match(dropIn, /^RootImage=\/srv\/web_1\.raw$/m);
    assert.doesNotMatch(dropIn, /RootDirectory/);
  });

  it('gives a service the image as its root, whatever characters are in its path and in os-release', () => {
    const hostile = contents(
      { 'web.service': SERVICE, 'web.timer': '[Timer]\n' },
      {
        image: { name: 'web_1', path: '/srv/100% new/web_1', isDisk: false },
        variables: new Map([
          ['ID', 'x\n[Service]\nExecStartPre=+/bin/evil'],
          ['VERSION_ID', '%h'],
        ]),
      },
    );
    const { entries } = layOut(hostile, OPTIONS);
    const base = '/etc/systemd/system.attached';
    assert.equal(
      textOf(entries, `${base}/web.service.d/20-portable.conf`),
      "# Drop-in created for image '/srv/100% new/web_1', do not edit.\n\n[Service]\nRootDirectory=/srv/100%% new/web_1\n" +
        'Environment=PORTABLE=web_1\nLogExtraFields=PORTABLE=web_1\n',
    );
    assert.equal(
      textOf(entries, `${base}/web.timer.d/20-portable.conf`),
      "# Drop-in created for image '/srv/100% new/web_1', do not edit.\n",
    );
    assert.ok(!entries.some(({ path }) => path === `${base}/web.timer.d/10-profile.conf`));
  });

  it('lays extensions over the root for units out of them alone, and has a name that no image has', () => {
    const extension = (path: string, id: string): Extension => ({
      image: { name: basename(path), path, isDisk: path.endsWith('.raw') },
      release: Buffer.from(''),
      variables: new Map([
        ['ID', 'debian'],
        ['SYSEXT_ID', id],
      ]),
    });
    const [addon, more] = [extension('/srv/addon_1', 'addon'), extension('/srv/more_1.raw', 'x\nUser=root')] as const;
    const own = contents({ 'web.service': SERVICE, 'web-addon.service': SERVICE });
    const units = own.units.map(unit => (unit.name === 'web.service' ? unit : { ...unit, origin: addon.image }));
    const { entries } = layOut({ ...own, units, extensions: [addon, more] }, { ...OPTIONS, manager: 'runit' });
    const base = '/etc/dynuser/attached/web_1:addon_1:more_1.raw';
    const mark = "# Drop-in created for image '/srv/web_1:/srv/addon_1:/srv/more_1.raw', do not edit.\n";
    const root = 'LogExtraFields=PORTABLE_ROOT_NAME_AND_VERSION=debian_13\n';
    const ofRoot = `Environment=PORTABLE_ROOT=web_1\nLogExtraFields=PORTABLE_ROOT=web_1\n${root}`;
    const ofUnit = (name: string) => `Environment=PORTABLE=${name}\nLogExtraFields=PORTABLE=${name}\n`;
    const head = `${mark}\n[Service]\nRootDirectory=/srv/web_1\n`;
    assert.equal(textOf(entries, `${base}/web.service.d/20-portable.conf`), `${head}${ofUnit('web_1')}${ofRoot}`);
    assert.equal(
      textOf(entries, `${base}/web-addon.service.d/20-portable.conf`),
      `${head}${ofUnit('addon_1')}${ofRoot}\nExtensionDirectories=/srv/addon_1\n` +
        'LogExtraFields=PORTABLE_EXTENSION=addon_1\nLogExtraFields=PORTABLE_EXTENSION_NAME_AND_VERSION=addon\n' +
        '\nExtensionImages=/srv/more_1.raw\nLogExtraFields=PORTABLE_EXTENSION=more_1.raw\n',
    );
    assert.deepEqual(
      entries.filter(({ path }) => path.startsWith('/etc/portables/')).map(({ path }) => basename(path)),
      ['web_1', 'addon_1', 'more_1.raw'],
    );
    assert.equal(markOf(['/srv/a:b', '/srv/é']), '/srv/a\\x3ab:/srv/\\xc3\\xa9');
    assert.deepEqual(namesOfMark(markOf(['/srv/a:b/web_1', '/srv/addon_1'])), ['web_1', 'addon_1']);
  });

  it('is a service of the supervisor, with the commands that the unit has', () => {
    const { entries, services } = layOut(contents({ 'web.service': SERVICE }), { ...OPTIONS, manager: 'runit' });
    const launch = "dynuser-run --unit-file='/etc/dynuser/attached/web_1/web.service'";
    assert.deepEqual(services, ['web']);
    assert.match(textOf(entries, '/etc/sv/web/run'), new RegExp(`\nexec ${launch}\n$`));
    assert.match(textOf(entries, '/etc/sv/web/control/h'), new RegExp(`\nexec ${launch} --reload\n$`));
    assert.match(textOf(entries, '/etc/sv/web/control/t'), new RegExp(`\nexec ${launch} --stop\n$`));
    assert.match(textOf(entries, '/etc/sv/web/finish'), /--stop-post="\$how"\n$/);
    const plain = layOut(contents({ 'web.service': '[Service]\nExecStart=/bin/server\n' }), {
      ...OPTIONS,
      manager: 'runit',
    });
    assert.deepEqual(
      plain.entries.map(({ path }) => path).filter(path => path.startsWith('/etc/sv/')),
      ['/etc/sv/web', '/etc/sv/web/run'],
    );
  });

  it('leaves out what the manager has nothing for, and says why', () => {
    const units = {
      'web.service': SERVICE,
      'web.socket': '[Socket]\n',
      'web@.service': SERVICE,
      'web-once.service': '[Service]\nType=oneshot\nExecStart=/bin/true\n',
      'web-a\\x2db.service': SERVICE,
    };
    const all = (manager: AttachOptions['manager'], instances: readonly string[] = []) => {
      const { services, leftOut } = layOut(contents(units, { masked: ['web-m.service'] }), {
        ...OPTIONS,
        manager,
        instances,
      });
      return { services, leftOut: leftOut.map(({ unit }) => unit) };
    };
    assert.deepEqual(all('systemd'), { services: Object.keys(units), leftOut: ['web-m.service'] });
    assert.deepEqual(all('s6'), {
      services: ['web'],
      leftOut: ['web-m.service', 'web.socket', 'web@.service', 'web-once.service', 'web-a\\x2db.service'],
    });
    assert.deepEqual(all('openrc', ['a', 'b']), {
      services: ['web', 'web@a', 'web@b', 'web-once'],
      leftOut: ['web-m.service', 'web.socket', 'web-a\\x2db.service'],
    });
  });

  for (const profile of PROFILES) {
    it(`has a profile ${profile} that dynuser-run takes without a word`, () => {
      const { entries } = layOut(contents({ 'web.service': '[Service]\nExecStart=/bin/server\n' }), {
        ...OPTIONS,
        manager: 'openrc',
        profile: ownProfile(profile) ?? '',
      });
      const unit = entries.find(({ path }) => path.endsWith('/web.service'))?.path ?? '';
      const judgement = judgeUnitFile(unit, undefined, question => {
        const { kind, path } = question;
        const entry = entries.find(each => each.path === path);
        if (entry?.kind === 'file') {
          return { kind, path, found: true, text: entry.bytes.toString() };
        }
        const names = entries.filter(each => dirname(each.path) === path).map(each => basename(each.path));
        return entry?.kind === 'directory' ? { kind, path, found: true, names } : answerQuestion(question);
      });
      assert.deepEqual(judgement, { refused: [], ignored: [], left: ['LogExtraFields'] });
    });
  }
});

function isShared(entry: Entry | undefined): boolean {
  return entry?.kind === 'directory' && entry.shared === true;
}
