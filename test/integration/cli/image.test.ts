/**
 * dynuserctl image where no manager has to start anything: what is read of an image, what each refusal says, which files come and go, and what the
 * managers are told, which are scripts here. What real managers make of it is in system/portable.test.ts.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { Machine } from '../../support/machine.ts';

const SERVICE = '[Service]\nExecStart=/bin/true\n';
/** All that attach makes files in. */
const PLACES =
  '/etc/systemd/system.attached /run/systemd/system.attached /etc/portables /run/portables /etc/dynuser/attached /run/dynuser/attached /etc/init.d /etc/runlevels /etc/sv /etc/s6 /etc/service /run/service';
const COMMANDS = ['systemctl', 'rc-service', 'sv', 's6-svscanctl', 's6-svstat', 's6-svc', 's6-svwait', 's6-svok'];

let machine: Machine;
before(async () => {
  machine = await Machine.boot({ init: 'plain', stage: true });
  // Each notes how it was called, and has the services running that are named in a file.
  const script = `#!/bin/sh
echo "\${0##*/} $*" >>/run/called
[ ! -e "/run/fails/\${0##*/}" ] || { echo 'it does not want to' >&2; exit 1; }
case "\${0##*/} $1 $2" in
"systemctl list-units "*) [ ! -e /run/up ] || while read -r up; do for asked; do case $up in $asked) echo "$up" ;; esac; done; done </run/up ;;
"rc-service "*" status") grep -qx "$1" /run/up 2>/dev/null || exit 3 ;;
"sv status "*) ! grep -qx "\${2##*/}" /run/up 2>/dev/null || echo 'run: up' ;;
"s6-svstat "*) ! grep -qx "\${3##*/}" /run/up 2>/dev/null || echo true ;;
esac
`;
  for (const name of COMMANDS) {
    await machine.write(`/usr/local/bin/${name}`, script, 0o755);
  }
});
after(() => machine?.stop());
beforeEach(() => machine.sh(`rm -rf ${PLACES} /srv/* /run/called /run/up /run/fails /run/openrc /run/systemd/system`));

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Makes the directory of an image, with these files below its root; the name of one that ends with "/" is a directory. */
async function make(
  path: string,
  files: Readonly<Record<string, string>>,
  release: string | undefined = 'ID=test\nVERSION_ID=1\n',
): Promise<void> {
  const all = { 'etc/os-release': release, ...files };
  const lines = Object.entries(all).map(([name, text]) => {
    const file = quoted(`${path}/${name}`);
    return `mkdir -p "$(dirname ${file})" && printf %s ${quoted(text)} >${file}`;
  });
  await machine.sh(`umask 022\n${lines.join('\n')}`);
}

const unit = (name: string): string => `usr/lib/systemd/system/${name}`;

const image = (...argv: readonly string[]) => machine.run(['dynuserctl', 'image', ...argv]);
async function done(...argv: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await image(...argv);
  assert.equal(status, 0, `${argv.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}
async function refused(...argv: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await image(...argv);
  assert.deepEqual([status, stdout], [1, ''], `${argv.join(' ')}: ${stderr}`);
  return stderr.replace(/^dynuserctl: /, '').trimEnd();
}
const inspected = async (...argv: readonly string[]) => JSON.parse(await done('inspect', '--json=short', ...argv));
const list = async (): Promise<Record<string, unknown>[]> => JSON.parse(await done('list', '--json=short'));
/** What is in all places but the directory of the lock. */
async function files(): Promise<string[]> {
  const found = await machine.sh(`find ${PLACES} ! -type d 2>/dev/null | sort; true`);
  return found.split('\n').filter(Boolean);
}
async function called(): Promise<string[]> {
  const found = await machine.sh('cat /run/called 2>/dev/null; rm -f /run/called');
  return found.split('\n').filter(Boolean);
}

describe('an image', () => {
  it('is found by its path, or by its name in the first of the directories that has it', async () => {
    await make('/srv/web_1', { [unit('web.service')]: SERVICE });
    assert.equal((await inspected('/srv/web_1')).image, '/srv/web_1');
    assert.equal((await inspected('/srv/web_1//')).name, 'web_1');
    assert.equal(
      await refused('inspect', 'web_1'),
      'there is no image web_1: it is in none of /etc/portables, /run/portables, /var/lib/portables, /usr/local/lib/portables, /usr/lib/portables; give its path, such as ./web_1',
    );
    await make('/run/portables/web_1', { [unit('web.service')]: SERVICE });
    await machine.sh('mkdir -p /var/lib/portables && ln -sfn /srv/web_1 /var/lib/portables/web_1');
    assert.equal((await inspected('web_1')).image, '/run/portables/web_1');
    await machine.sh('rm -r /run/portables/web_1');
    assert.equal((await inspected('web_1')).image, '/srv/web_1');
    await machine.sh('rm /var/lib/portables/web_1');
  });

  it('has a name and a path that can be written into files', async () => {
    await machine.sh(
      'mkdir -p "/srv/a b" /srv/-web /srv/up && printf "" >"/srv/up/x\ty"; mkdir "/srv/t\tt" "/srv/t\tt/web"',
    );
    const words = 'it must begin with a letter, a digit or "_", and have only those and . + ~ @ -; rename it';
    assert.equal(await refused('inspect', '/srv/a b'), `"a b" cannot be the name of an image: ${words}`);
    assert.equal(await refused('inspect', 'a b'), `"a b" cannot be the name of an image: ${words}`);
    assert.equal(await refused('inspect', '/srv/-web'), `"-web" cannot be the name of an image: ${words}`);
    assert.match(
      await refused('inspect', '/srv/t\tt/web'),
      /^\/srv\/t\\.*t\/web: a path with such characters cannot be in a unit file; rename it$/,
    );
    await machine.sh('ln -s / /srv/root');
    assert.equal(
      await refused('inspect', '/srv/root'),
      '/srv/root: it leads to the root of this host; name the directory of an image',
    );
    assert.equal(await refused('inspect', '/srv/none'), '/srv/none: no such file or directory');
  });

  it('is one that only root can change or replace', async () => {
    await make('/srv/above/web_1', { [unit('web.service')]: SERVICE });
    const advice = 'chown it to root, and take write permission from group and others';
    const changed = async (command: string): Promise<string> => {
      await machine.sh(command);
      return refused('inspect', '/srv/above/web_1');
    };
    const words = (path: string, owner: number, mode: string) =>
      `${path}: others than root can change or replace it (owner ${owner}, mode ${mode}); ${advice}`;
    assert.equal(await changed('chmod 775 /srv/above/web_1'), words('/srv/above/web_1', 0, '775'));
    assert.equal(await changed('chmod 1777 /srv/above/web_1'), words('/srv/above/web_1', 0, '1777'));
    assert.equal(
      await changed('chmod 755 /srv/above/web_1; chown 7 /srv/above/web_1'),
      words('/srv/above/web_1', 7, '755'),
    );
    assert.equal(await changed('chown 0 /srv/above/web_1; chmod 757 /srv/above'), words('/srv/above', 0, '757'));
    assert.equal(await changed('chmod 1755 /srv/above; chown 7 /srv/above'), words('/srv/above', 7, '1755'));
    await machine.sh('chown 0 /srv/above; chmod 1777 /srv/above');
    assert.equal((await inspected('/srv/above/web_1')).name, 'web_1');
  });

  it('has a release file that says which system it is', async () => {
    await make('/srv/web_1', { [unit('web.service')]: SERVICE }, 'NAME=none\n');
    assert.equal(
      await refused('inspect', '/srv/web_1'),
      '/srv/web_1: its os-release file has no ID=, so it is not an image of a system',
    );
    await machine.sh('rm /srv/web_1/etc/os-release');
    assert.equal(
      await refused('inspect', '/srv/web_1'),
      '/srv/web_1: it has no os-release file, so it is not an image of a system',
    );
    await make(
      '/srv/web_1',
      { 'usr/lib/os-release': 'ID=other\nPORTABLE_PRETTY_NAME="The web"\n' },
      'ID=test\nPRETTY_NAME="A test"\n',
    );
    const { system, service, prefixes, extensions } = await inspected('/srv/web_1');
    assert.deepEqual([system, service, prefixes, extensions], ['A test', null, ['web'], []]);
    await machine.sh('rm /srv/web_1/etc/os-release');
    const other = await inspected('/srv/web_1');
    assert.deepEqual([other.system, other.service], ['other', 'The web']);
  });

  it('has the units whose names begin with its own, or with what is given, by name', async () => {
    const names = [
      'web.service',
      'web-b.socket',
      'web-a.target',
      'web@.timer',
      'web.path',
      'web.mount',
      'webs.service',
      'other.service',
      'web-x.conf',
      'web-..service.d',
    ];
    await make('/srv/web_1', Object.fromEntries(names.map(name => [unit(name), SERVICE])));
    const found = async (...argv: string[]) =>
      (await inspected('/srv/web_1', ...argv)).units.map((each: { name: string }) => each.name);
    assert.deepEqual(await found(), ['web-a.target', 'web-b.socket', 'web.path', 'web.service', 'web@.timer']);
    assert.deepEqual(await found('other', 'webs'), ['other.service', 'webs.service']);
    assert.equal(
      await refused('inspect', '/srv/web_1', 'we', 'mail'),
      '/srv/web_1: it has no unit whose name begins with we or mail; name other prefixes',
    );
  });

  it('has each unit where it is found first, and none that it masks', async () => {
    await make('/srv/web_1', {
      'etc/systemd/system/web.service': '[Service]\nExecStart=/bin/first\n',
      [unit('web.service')]: SERVICE,
      [unit('web-masked.service')]: SERVICE,
      [unit('web-empty.service')]: '',
    });
    await machine.sh('ln -s /dev/null /srv/web_1/etc/systemd/system/web-masked.service');
    const { units } = await inspected('/srv/web_1', '--manager=runit');
    assert.deepEqual(units, [
      { name: 'web.service', verdict: 'attached', reasons: [] },
      { name: 'web-empty.service', verdict: 'left out', reasons: ['the image masks it'] },
      { name: 'web-masked.service', verdict: 'left out', reasons: ['the image masks it'] },
    ]);
    assert.equal(
      await done('inspect', '--cat', '/srv/web_1'),
      '-- os-release --\nID=test\nVERSION_ID=1\n\n-- web.service --\n[Service]\nExecStart=/bin/first\n',
    );
    await machine.sh('ln -s /etc/none /srv/web_1/usr/lib/systemd/system/web-b.service');
    assert.equal(
      await refused('inspect', '/srv/web_1'),
      '/srv/web_1: usr/lib/systemd/system/web-b.service: it leads to no file of the image',
    );
  });

  it('has no more units than can be attached', async () => {
    await make('/srv/web_1', {});
    const units = (count: number) =>
      `cd /srv/web_1 && mkdir -p usr/lib/systemd/system && for n in $(seq ${count}); do echo '[Timer]' >usr/lib/systemd/system/web-$n.timer; done`;
    await machine.sh(units(256));
    assert.equal((await inspected('/srv/web_1')).units.length, 256);
    await machine.sh(units(257));
    assert.equal(
      await refused('inspect', '/srv/web_1'),
      '/srv/web_1: it has more than 256 units that match; name a longer prefix',
    );
  });

  it('may say which prefixes there are', async () => {
    await make(
      '/srv/web_1',
      { [unit('web.service')]: SERVICE, [unit('mail.service')]: SERVICE },
      'ID=test\nPORTABLE_PREFIXES="web api"\n',
    );
    assert.deepEqual((await inspected('/srv/web_1')).prefixes, ['web']);
    assert.equal(
      await refused('inspect', '/srv/web_1', 'web', 'mail'),
      '/srv/web_1: PORTABLE_PREFIXES= of its os-release file has web api, and not mail; name prefixes that it has',
    );
    await make('/srv/more_1', {
      'usr/lib/extension-release.d/extension-release.more_1': 'ID=_any\nPORTABLE_PREFIXES=more\n',
    });
    assert.equal(
      await refused('inspect', '/srv/web_1', 'mail', '--extension=/srv/more_1'),
      '/srv/web_1: PORTABLE_PREFIXES= of its os-release file and its extensions has web api more, and not mail; name prefixes that it has',
    );
  });
});

describe('an extension', () => {
  const release = (name: string): string => `usr/lib/extension-release.d/extension-release.${name}`;
  beforeEach(() => make('/srv/web_1', { [unit('web.service')]: SERVICE }));

  it('adds its units to those of the image, and replaces none', async () => {
    await make('/srv/more_1', {
      [release('more_1')]: 'ID=_any\n',
      [unit('web.service')]: 'x',
      [unit('web-more.service')]: SERVICE,
    });
    await machine.sh(
      'ln -s /dev/null /srv/more_1/usr/lib/systemd/system/web-no.service; ln -s /dev/null /srv/web_1/usr/lib/systemd/system/web-no.service',
    );
    const { units, extensions } = await inspected('/srv/web_1', '--extension=/srv/more_1');
    assert.deepEqual(extensions, ['/srv/more_1']);
    assert.deepEqual(
      units.map((each: { name: string; verdict: string }) => [each.name, each.verdict]),
      [
        ['web-more.service', 'attached'],
        ['web.service', 'attached'],
        ['web-no.service', 'left out'],
      ],
    );
    assert.match(
      await done('inspect', '/srv/web_1', '--extension=/srv/more_1', '--cat'),
      /^-- os-release --\nID=test\nVERSION_ID=1\n\n-- extension-release of more_1 --\nID=_any\n\n-- web-more\.service --\n[\s\S]*\n-- web\.service --\n/,
    );
    assert.equal(
      await refused('inspect', '/srv/web_1', 'mail', '--extension=/srv/more_1'),
      '/srv/web_1: it has no unit whose name begins with mail, and neither has an extension; name other prefixes',
    );
  });

  it('is one that is made for the image, and for portable services', async () => {
    await make('/srv/more_1', { [release('more_1')]: 'ID=other\n' });
    assert.match(
      await refused('inspect', '/srv/web_1', '--extension=/srv/more_1'),
      /^\/srv\/more_1: it cannot be laid over the image: ./,
    );
    await make('/srv/more_1', { [release('more_1')]: 'ID=_any\nSYSEXT_SCOPE="system initrd"\n' });
    assert.equal(
      await refused('inspect', '/srv/web_1', '--extension=/srv/more_1'),
      '/srv/more_1: it is not for portable services: SYSEXT_SCOPE= of its extension-release is system initrd',
    );
    await make('/srv/more_1', { [release('more_1')]: 'ID=_any\nSYSEXT_SCOPE="system portable"\n' });
    await done('inspect', '/srv/web_1', '--extension=/srv/more_1');
  });

  it('has another name and path than all others, which can be in a list', async () => {
    const spoken = async (...paths: string[]) =>
      refused('inspect', '/srv/web_1', ...paths.map(path => `--extension=${path}`));
    await make('/srv/more_1', { [release('more_1')]: 'ID=_any\n' });
    await machine.sh('mkdir -p "/srv/a:b/more_1" /srv/other/more_1');
    assert.equal(
      await spoken('/srv/a:b/more_1'),
      '/srv/a:b/more_1: a path with spaces, quotes, "%", ":" or "\\" cannot be that of an extension; rename it',
    );
    assert.equal(await spoken('/srv/web_1'), '/srv/web_1: it is named twice; name each image once');
    assert.equal(
      await spoken('/srv/more_1', '/srv/other/more_1'),
      '/srv/other/more_1: it is named twice; name each image once',
    );
    const long = (length: number): string => `e${'x'.repeat(length - 1)}`;
    // With the image's name and what is between them: 255 bytes.
    await machine.sh(`mkdir -p /srv/${long(100)} /srv/a/${long(147)} /srv/b/${long(148)}`);
    assert.match(await spoken(`/srv/${long(100)}`, `/srv/a/${long(147)}`), /cannot be laid over the image/);
    assert.equal(
      await spoken(`/srv/${long(100)}`, `/srv/b/${long(148)}`),
      '--extension=: the names of the images have more than 255 bytes together; rename some',
    );
    await machine.sh('for n in $(seq 17); do mkdir -p /srv/e_$n; done');
    const many = Array.from({ length: 17 }, (_, index) => `/srv/e_${index + 1}`);
    assert.equal(await spoken(...many), '--extension=: more than 16 extensions; merge some of them');
    assert.match(await spoken(...many.slice(1)), /^\/srv\/e_2: it cannot be laid over the image/);
  });
});

describe('an attached image', () => {
  beforeEach(() =>
    make('/srv/web_1', {
      [unit('web.service')]: SERVICE,
      [unit('web@.service')]: SERVICE,
      [unit('web.timer')]: '[Timer]\nOnBootSec=1h\n',
    }),
  );

  const MADE = {
    openrc: ['/etc/init.d/web', '/etc/runlevels/default/web'],
    runit: ['/etc/service/web', '/etc/sv/web/run'],
    s6: ['/etc/s6/sv/web/run', '/etc/s6/sv/web/type', '/run/service/web'],
  };
  for (const [manager, made] of Object.entries(MADE)) {
    it(`is files of ${manager}, and nothing is left of them`, async () => {
      await machine.sh('mkdir -p /etc/service /run/service');
      const title = manager === 'openrc' ? 'OpenRC' : manager;
      const { status, stdout, stderr } = await image('attach', '/srv/web_1', `--manager=${manager}`, '--enable');
      assert.deepEqual(
        [status, stdout, stderr],
        [
          0,
          `Attached web_1 to ${title}: web.\n`,
          `dynuserctl: web.timer is left out: ${title} has no timers\n` +
            `dynuserctl: web@.service is left out: it is a template, and ${title} has none; name instances with --instance=NAME\n`,
        ],
      );
      const own = [
        '/etc/dynuser/attached/web_1/manifest.json',
        '/etc/dynuser/attached/web_1/web.service',
        '/etc/dynuser/attached/web_1/web.service.d/10-profile.conf',
        '/etc/dynuser/attached/web_1/web.service.d/20-portable.conf',
      ];
      assert.deepEqual(await files(), [...own, '/etc/portables/web_1', ...made].sort());
      const modes =
        'stat -c "%a %n" $(find /etc/dynuser/attached /etc/sv /etc/s6 /etc/init.d -type f -o -type d 2>/dev/null) | sort -k2';
      for (const line of (await machine.sh(modes)).split('\n')) {
        const isProgram = /\/(?:run|init\.d\/web)$/.test(line);
        const isFile = /\.(?:json|service|conf)$|\/type$/.test(line);
        assert.match(line, isProgram || !isFile ? /^755 / : /^644 /);
      }
      assert.deepEqual(await list(), [
        {
          name: 'web_1',
          state: 'attached',
          manager,
          profile: 'default',
          units: ['web'],
          image: '/srv/web_1',
          extensions: [],
        },
      ]);
      assert.equal(await done('is-attached', 'web_1'), 'attached\n');
      assert.equal(
        await refused('attach', '/srv/web_1', `--manager=${manager}`),
        'web_1: it is attached already (/srv/web_1); "dynuserctl image detach web_1" detaches it',
      );
      assert.equal(await done('detach', '/srv/web_1'), 'Detached web_1.\n');
      assert.deepEqual(await files(), []);
      // Directories that were there stay, and those that attach made are gone.
      assert.equal(
        await machine.sh(
          'ls -d /etc/service /run/service /etc/dynuser/attached /etc/sv/web /etc/s6/sv/web 2>/dev/null; true',
        ),
        '/etc/service\n/run/service',
      );
      assert.deepEqual(await called(), [], 'no manager runs');
      assert.deepEqual(
        [(await image('is-attached', 'web_1')).status, (await image('is-attached', 'web_1')).stdout],
        [1, 'detached\n'],
      );
      assert.equal(
        await refused('detach', 'web_1'),
        'web_1: dynuserctl has not attached it; "dynuserctl image list" shows what is attached',
      );
    });
  }

  it('has the instances that are named, and an instance has a name that a script may have', async () => {
    assert.match(
      await done('attach', '/srv/web_1', '--manager=runit', '--instance=a', '--instance=b.c'),
      /: web, web@a, web@b\.c\.$/m,
    );
    assert.match(
      await machine.sh('cat /etc/sv/web@a/run'),
      /\nexec dynuser-run --unit-file='\/etc\/dynuser\/attached\/web_1\/web@\.service' --instance='a'$/,
    );
    const { status, stderr } = await image('attach', '/srv/web_1', '--manager=runit', '--instance=a', "--instance=b'c");
    assert.deepEqual([status, stderr.split('\n')[0]], [2, `dynuserctl: --instance=: 'b'c' cannot be an instance here`]);
  });

  it('needs a manager, and one that can do what is asked for', async () => {
    assert.equal(
      await refused('attach', '/srv/web_1'),
      'no service manager runs here; name one with --manager=systemd|openrc|runit|s6',
    );
    assert.equal((await inspected('/srv/web_1')).manager, 'systemd', 'to look at it needs none');
    assert.equal(
      await refused('attach', '/srv/web_1', '--manager=openrc', '--runtime'),
      '--runtime: OpenRC has no place for services until the next boot; leave it out',
    );
    assert.equal(
      await refused('attach', '/srv/web_1', '--manager=runit', '--enable'),
      'runit has no directory of services here: it is not at /etc/service, /var/service, /service; make the one that it runs',
    );
    await make('/srv/mail_1', { [unit('mail.timer')]: '[Timer]\n' });
    assert.equal(
      await refused('attach', '/srv/mail_1', '--manager=runit'),
      '/srv/mail_1: nothing of it can be attached: mail.timer: runit has no timers',
    );
    await make('/srv/bad_1', { [unit('bad.service')]: '[Service]\nType=simple\n' });
    assert.match(
      await refused('attach', '/srv/bad_1', '--manager=runit'),
      /^\/srv\/bad_1: dynuser-run would not start bad\.service: ./,
    );
    const bad = await image('inspect', '/srv/bad_1', '--manager=runit', '--json=short');
    assert.deepEqual([bad.status, JSON.parse(bad.stdout).units[0].verdict], [1, 'refused']);
    assert.equal(
      await refused('attach', '/srv/web_1', '--manager=openrc', '--profile=none'),
      'there is no profile none; use default, nonetwork, strict, trusted, or make /etc/dynuser/portable/profile/none/service.conf',
    );
    assert.deepEqual(await files(), []);
    const { status, stdout, stderr } = await image('attach', '/srv/web_1', '--manager=openrc', '--now');
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, /^dynuserctl: attached, but not started: OpenRC does not run here$/m);
    assert.equal(await done('is-attached', 'web_1'), 'attached\n');
  });

  it('has the profile of the administrator, if there is one', async () => {
    await machine.write('/etc/dynuser/portable/profile/own/service.conf', '[Service]\nUser=own\n');
    await done('attach', '/srv/web_1', '--manager=openrc', '--profile=own');
    assert.equal(
      await machine.sh('cat /etc/dynuser/attached/web_1/web.service.d/10-profile.conf'),
      '[Service]\nUser=own',
    );
    assert.equal((await list())[0]?.['profile'], 'own');
    await machine.sh('rm -r /etc/dynuser/portable');
  });

  it('is for root to change', async () => {
    for (const [action, ...more] of [
      ['attach', '/srv/web_1', '--manager=openrc'],
      ['reattach', '/srv/web_1'],
      ['detach', 'web_1'],
    ]) {
      const { status, stderr } = await machine.run(['dynuserctl', 'image', String(action), ...more], { uid: 65_534 });
      assert.deepEqual([status, stderr], [1, `dynuserctl: only root can ${action} images; use sudo\n`]);
    }
  });

  it('does not take the place of a file of others, and takes back what it has made if one is in its way', async () => {
    await machine.sh('mkdir -p /etc/init.d && echo other >/etc/init.d/web');
    assert.equal(
      await refused('attach', '/srv/web_1', '--manager=openrc'),
      '/etc/init.d/web: it is on this host already, and not of this image; move it away first',
    );
    assert.deepEqual(await files(), ['/etc/init.d/web']);
    await machine.sh('rm -r /etc/init.d && ln -s /srv/none /etc/init.d');
    assert.equal(
      await refused('attach', '/srv/web_1', '--manager=openrc'),
      'cannot attach /srv/web_1: /etc/init.d: not a directory; nothing is left of it',
    );
    assert.deepEqual(await files(), ['/etc/init.d']);
  });

  it('is left alone if it is not as it was attached', async () => {
    await machine.sh('mkdir -p /run/service');
    await done('attach', '/srv/web_1', '--manager=s6', '--enable');
    const refusedFor = async (path: string, command: string, back: string): Promise<void> => {
      await machine.sh(command);
      for (const argv of [
        ['detach', 'web_1'],
        ['reattach', '/srv/web_1'],
      ]) {
        assert.equal(await refused(...argv), `web_1: not as it was attached: ${path}; move that away, then try again`);
      }
      await machine.sh(back);
    };
    await refusedFor('/etc/s6/sv/web/more', 'touch /etc/s6/sv/web/more', 'rm /etc/s6/sv/web/more');
    const dropIn = '/etc/dynuser/attached/web_1/web.service.d/more.conf';
    await refusedFor(dropIn, `touch ${dropIn}`, `rm ${dropIn}`);
    await refusedFor('/run/service/web', 'ln -sfn /srv /run/service/web', 'ln -sfn /etc/s6/sv/web /run/service/web');
    await refusedFor(
      '/run/service/web',
      'rm /run/service/web && mkdir /run/service/web',
      'rmdir /run/service/web; ln -s /etc/s6/sv/web /run/service/web',
    );
    await refusedFor(
      '/etc/s6/sv/web/type',
      'mv /etc/s6/sv/web/type /srv/type; echo bundle >/etc/s6/sv/web/type',
      'mv /srv/type /etc/s6/sv/web/type',
    );
    // What s6-supervise makes there is no change, and goes.
    await machine.sh('mkdir -p /etc/s6/sv/web/supervise/lock /etc/s6/sv/web/event');
    await done('detach', 'web_1');
    assert.deepEqual(await files(), []);
    assert.equal(await machine.sh('ls -d /etc/s6 2>/dev/null; true'), '');
  });

  it('that is gone in part is detached all the same', async () => {
    await machine.sh('mkdir -p /run/service');
    await done('attach', '/srv/web_1', '--manager=s6', '--enable');
    await machine.sh('rm -r /run/service /etc/s6/sv/web/type');
    await done('detach', 'web_1');
    assert.deepEqual(await files(), []);
  });

  it('that was left half made is removed by the next command, and one whose manifest nobody understands is said', async () => {
    const manifest = '/etc/dynuser/attached/web_1/manifest.json';
    await done('attach', '/srv/web_1', '--manager=openrc');
    const text = await machine.sh(`cat ${manifest}`);
    const parsed = JSON.parse(text);
    assert.deepEqual(
      [parsed.version, parsed.complete, parsed.image, parsed.services],
      [1, true, '/srv/web_1', ['web']],
    );
    for (const [what, broken] of Object.entries({
      'is not JSON': '{',
      'is not an object': '[]',
      'is of another version': { ...parsed, version: 2 },
      'has another manager': { ...parsed, manager: 'upstart' },
      'has no image': { ...parsed, image: 1 },
      'has no profile': { ...parsed, profile: null },
      'has no services': { ...parsed, services: 'web' },
      'has other services': { ...parsed, services: [1] },
      'has other extensions': { ...parsed, extensions: [1] },
      'does not say whether it is complete': { ...parsed, complete: 'no' },
      'made nothing': { ...parsed, made: {} },
      'made no object': { ...parsed, made: [null] },
      'made something else': { ...parsed, made: [{ kind: 'socket', path: '/srv/x' }] },
      'made something without a path': { ...parsed, made: [{ kind: 'file', digest: '' }] },
      'made something at a relative path': { ...parsed, made: [{ kind: 'file', path: 'srv', digest: '' }] },
      'made a file without a digest': { ...parsed, made: [{ kind: 'file', path: '/srv/x' }] },
      'made a link without a target': { ...parsed, made: [{ kind: 'link', path: '/srv/x' }] },
      'has others make no list': { ...parsed, made: [{ kind: 'directory', path: '/srv/x', made: 'supervise' }] },
      'has others make a path': { ...parsed, made: [{ kind: 'directory', path: '/srv/x', made: ['../x'] }] },
    })) {
      await machine.write(manifest, typeof broken === 'string' ? broken : JSON.stringify(broken));
      assert.equal(
        await refused('list'),
        `${manifest}: not a manifest of this version; detach with the version that has attached`,
        what,
      );
    }
    const strange = `${manifest}: not what attach has written; remove what the image has on this host by hand`;
    await machine.sh(`mv ${manifest} /srv/manifest.json && ln -s /srv/manifest.json ${manifest}`);
    assert.equal(await refused('list'), strange);
    await machine.write(manifest, text);
    await machine.sh(`chown 7 ${manifest}`);
    assert.equal(await refused('list'), strange);
    await machine.sh(`chown 0 ${manifest} && truncate -s 1048577 ${manifest}`);
    assert.equal(await refused('list'), strange);
    await machine.write(manifest, JSON.stringify({ ...parsed, complete: false }));
    assert.equal((await list())[0]?.['state'], 'unfinished');
    await machine.sh('mkdir -p /etc/dynuser/attached/empty_1');
    assert.equal((await list()).length, 1, 'a directory without a manifest is not an image');
    assert.match(await refused('detach', 'web_1'), /^web_1: dynuserctl has not attached it;/);
    assert.deepEqual(await files(), []);
    assert.equal(await machine.sh('ls -d /etc/dynuser/attached 2>/dev/null; true'), '');
  });

  it('waits for another attach or detach', async () => {
    await machine.sh('mkdir -p /run/dynuser/attached');
    const other = await machine.spawn(['flock', '/run/dynuser/attached', 'sh', '-c', 'echo held; read line']);
    await new Promise<void>(resolve => other.stdout.once('data', () => resolve()));
    const attaching = image('attach', '/srv/web_1', '--manager=openrc');
    await machine.sh(
      `until grep -q 'FLOCK.*WRITE' /proc/locks && grep -q -- '-> FLOCK' /proc/locks; do sleep 0.05; done`,
    );
    assert.deepEqual(await files(), []);
    other.stdin.end('\n');
    assert.equal((await attaching).status, 0);
    await machine.sh('mv /usr/bin/flock /usr/bin/flock.away');
    assert.equal(
      await refused('detach', 'web_1'),
      'cannot lock /run/dynuser/attached: there is no flock(1); install util-linux',
    );
    await machine.sh('mv /usr/bin/flock.away /usr/bin/flock');
    await done('detach', 'web_1');
  });
});

describe('a manager that runs', () => {
  beforeEach(() =>
    make('/srv/web_1', {
      [unit('web.service')]: SERVICE,
      [unit('web-more.service')]: SERVICE,
      [unit('web@.service')]: SERVICE,
    }),
  );
  const start = {
    systemd: () => machine.sh('mkdir -p /run/systemd/system'),
    openrc: () => machine.sh('mkdir -p /run/openrc && touch /run/openrc/softlevel'),
  };
  const up = (...names: readonly string[]): Promise<void> =>
    machine.write('/run/up', names.map(name => `${name}\n`).join(''));
  const fails = (name: string) => machine.sh(`mkdir -p /run/fails && touch /run/fails/${name}`);
  const LISTED = 'systemctl list-units --plain --no-legend --state=active,activating,deactivating,reloading --';
  const ASKED = `${LISTED} web-more.service web.service web@*.service`;

  it('is told of what came, what starts at boot, what starts now, and what goes', async () => {
    await start.systemd();
    assert.equal(
      await done('attach', '/srv/web_1'),
      'Attached web_1 to systemd: web-more.service, web.service, web@.service.\n',
    );
    assert.deepEqual(await called(), [ASKED, 'systemctl daemon-reload']);
    assert.equal(await done('detach', 'web_1'), 'Detached web_1.\n');
    assert.deepEqual(await called(), [
      ASKED,
      'systemctl disable --no-warn -- web-more.service web.service web@.service',
      'systemctl daemon-reload',
    ]);
    await done('attach', '/srv/web_1', '--enable', '--now', '--no-reload');
    assert.deepEqual(await called(), [
      ASKED,
      'systemctl enable -- web-more.service web.service',
      'systemctl start -- web-more.service web.service',
    ]);
    await up('web.service');
    assert.equal(await refused('detach', 'web_1'), 'web_1: web.service runs; stop it first, or use --now');
    await up('web.service', 'web@a.service');
    assert.equal(
      await refused('detach', 'web_1'),
      'web_1: web.service, web@a.service run; stop it first, or use --now',
    );
    assert.equal((await list())[0]?.['state'], 'running');
    await called();
    assert.equal(
      await refused('detach', 'web_1', '--now'),
      'web_1: web.service, web@a.service run; stop it first, or use --now',
      'these do not stop',
    );
    assert.deepEqual(await called(), [ASKED, 'systemctl stop -- web.service web@a.service', ASKED]);
    await done('detach', 'web_1', '--force', '--clean', '--no-reload');
    assert.deepEqual(await called(), [
      'systemctl clean --what=all -- web-more.service web.service',
      'systemctl disable --no-warn -- web-more.service web.service web@.service',
    ]);
    assert.deepEqual(await files(), []);
  });

  it('until the next boot has files that go then', async () => {
    await start.systemd();
    await done('attach', '/srv/web_1', '--runtime', '--enable');
    assert.deepEqual(await called(), [
      ASKED,
      'systemctl daemon-reload',
      'systemctl --runtime enable -- web-more.service web.service',
    ]);
    assert.ok((await files()).every(path => path.startsWith('/run/')));
    assert.equal((await list())[0]?.['state'], 'attached-runtime');
    assert.equal(await done('is-attached', 'web_1', '--runtime'), 'attached-runtime\n');
    assert.match(await refused('attach', '/srv/web_1'), /^web_1: it is attached already/);
    await called();
    await done('detach', 'web_1', '--runtime');
    assert.deepEqual((await called()).slice(1), [
      'systemctl --runtime disable --no-warn -- web-more.service web.service web@.service',
      'systemctl daemon-reload',
    ]);
    await done('attach', '/srv/web_1');
    assert.match(await refused('detach', 'web_1', '--runtime'), /^web_1: dynuserctl has not attached it/);
    assert.match(
      await refused('reattach', '/srv/web_1', '--runtime'),
      /^web_1: no image of this name, up to the first "_", is attached; use attach$/,
    );
    await done('detach', 'web_1');
  });

  it('that has units of these names gets no others, unless by force', async () => {
    await start.systemd();
    await up('web.service');
    assert.equal(
      await refused('attach', '/srv/web_1'),
      'web_1: web.service runs already; stop it first, or use --force',
    );
    await up('web.service', 'web-more.service');
    assert.equal(
      await refused('attach', '/srv/web_1'),
      'web_1: web.service, web-more.service run already; stop it first, or use --force',
    );
    await machine.sh('rm /run/up; mkdir -p /etc/systemd/system && touch /etc/systemd/system/web.service');
    const words =
      'a unit of this name is on this host already, and not of this image; move it away first, or use --force';
    assert.equal(await refused('attach', '/srv/web_1'), `/etc/systemd/system/web.service: ${words}`);
    assert.deepEqual(await files(), []);
    await done('attach', '/srv/web_1', '--force');
    await machine.sh('rm /etc/systemd/system/web.service');
    await done('detach', 'web_1');
    // Without systemd the host's units count, too.
    await machine.sh('rm -r /run/systemd/system; touch /usr/lib/systemd/system/web.service');
    assert.equal(
      await refused('attach', '/srv/web_1', '--manager=systemd'),
      `/usr/lib/systemd/system/web.service: ${words}`,
    );
    await machine.sh('rm /usr/lib/systemd/system/web.service');
  });

  it('that fails has the image attached all the same, and says so', async () => {
    await start.systemd();
    await done('attach', '/srv/web_1');
    await fails('systemctl');
    assert.equal((await list())[0]?.['state'], 'attached', 'nobody knows otherwise');
    await machine.sh('rm -r /run/fails');
    await done('detach', 'web_1');
    await machine.sh('rm -r /run/systemd/system; mkdir -p /run/openrc && touch /run/openrc/softlevel');
    await fails('rc-service');
    const { status, stdout, stderr } = await image('attach', '/srv/web_1', '--now');
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(
      stderr,
      /\ndynuserctl: the image is attached; "dynuserctl image detach" detaches it\ndynuserctl: rc-service web-more start: it does not want to\n$/,
    );
    await done('detach', 'web_1');
  });

  it('stops what is replaced by another version, and has the new one', async () => {
    await start.systemd();
    await done('attach', '/srv/web_1', '--profile=trusted');
    await make('/srv/web_2', { [unit('web.service')]: SERVICE, [unit('web-new.service')]: SERVICE });
    await up('web.service', 'web-more.service');
    await called();
    assert.equal(await refused('reattach', '/srv/web_2'), 'web_1: web-more.service runs; stop it first, or use --now');
    assert.deepEqual(await called(), [`${LISTED} web-more.service web@*.service`]);
    await up('web.service');
    assert.equal(
      await done('reattach', '/srv/web_2', '--now', '--enable'),
      'Attached web_2 in the place of web_1 to systemd: web-new.service, web.service.\n',
    );
    const ended = `${LISTED} web-more.service web@*.service`;
    assert.deepEqual(await called(), [
      ended,
      ended,
      `${LISTED} web.service`,
      'systemctl disable --no-warn -- web-more.service web@.service',
      'systemctl daemon-reload',
      `${LISTED} web.service`,
      'systemctl stop -- web.service',
      'systemctl enable -- web-new.service web.service',
      'systemctl start -- web-new.service web.service',
    ]);
    const [listed, detached] = await list();
    assert.deepEqual([listed?.['name'], listed?.['profile'], detached], ['web_2', 'default', undefined]);
    await machine.sh('rm /run/up');
    await called();
    assert.equal(
      await done('reattach', '/srv/web_1', '--no-reload'),
      'Attached web_1 in the place of web_2 to systemd: web-more.service, web.service, web@.service.\n',
    );
    assert.deepEqual(await called(), [`${LISTED} web-new.service`, 'systemctl disable --no-warn -- web-new.service']);
    await done('detach', 'web_1');
  });

  it('has the former image again if the next one cannot be attached', async () => {
    await start.openrc();
    await done('attach', '/srv/web_1');
    await make('/srv/web_2', { [unit('web-no.service')]: SERVICE });
    await machine.sh('touch /etc/init.d/web-no; chmod 640 /etc/init.d/web');
    const text = await machine.sh('cat /etc/init.d/web');
    assert.equal(
      await refused('reattach', '/srv/web_2'),
      '/etc/init.d/web-no: it is on this host already, and not of this image; move it away first',
    );
    assert.equal(await machine.sh('cat /etc/init.d/web'), text);
    assert.equal(await machine.sh('stat -c %a /etc/init.d/web'), '640');
    assert.equal((await list())[0]?.['name'], 'web_1');
    await machine.sh('rm /etc/init.d/web-no');
    await done('detach', 'web_1');
    assert.deepEqual(await files(), []);
  });

  it('has one image that another can come in the place of', async () => {
    await start.openrc();
    assert.equal(
      await refused('reattach', '/srv/web_1'),
      'web_1: no image of this name, up to the first "_", is attached; use attach',
    );
    await done('attach', '/srv/web_1');
    await make('/srv/web_2', { [unit('api.service')]: SERVICE });
    await done('attach', '/srv/web_2', 'api');
    await make('/srv/web_3', { [unit('web.service')]: SERVICE });
    assert.equal(
      await refused('reattach', '/srv/web_3'),
      'web_3: web_1, web_2 are attached, and it could come in the place of each; detach all but one',
    );
    // Of its very name there is one.
    assert.equal(await done('reattach', '/srv/web_2', 'api'), 'Attached web_2 in the place of web_2 to OpenRC: api.\n');
    assert.deepEqual(
      (await list()).map(({ name }) => name),
      ['web_1', 'web_2'],
      'web_3 has no name on this host',
    );
    await done('detach', 'web_1');
    await done('detach', 'web_2');
  });

  it('shows what there is: attached by whom, and detached', async () => {
    await machine.sh(
      'mkdir -p /var/lib/portables/web_2 /etc/systemd/system.attached/x.service.d; touch /var/lib/portables/a.raw /var/lib/portables/file',
    );
    await machine.write(
      '/etc/systemd/system.attached/x.service.d/20-portable.conf',
      "# Drop-in created for image '/var/lib/portables/a.raw', do not edit.\n",
    );
    await done('attach', '/srv/web_1', '--manager=systemd');
    const none = { manager: null, profile: null, units: [], extensions: [] };
    const [foreign, own, detached, ...others] = await list();
    assert.deepEqual(foreign, {
      ...none,
      name: 'a.raw',
      state: 'portablectl',
      manager: 'systemd',
      image: '/var/lib/portables/a.raw',
    });
    assert.deepEqual([own?.['name'], own?.['manager']], ['web_1', 'systemd']);
    assert.deepEqual(
      [detached, others],
      [{ ...none, name: 'web_2', state: 'detached', image: '/var/lib/portables/web_2' }, []],
    );
    assert.deepEqual(
      [(await image('is-attached', 'a')).stdout, (await image('is-attached', 'a')).status],
      ['portablectl\n', 0],
    );
    assert.equal(
      await refused('detach', 'a'),
      'a: portablectl has attached it: detach it with that; "dynuserctl image list" shows what is attached',
    );
    // By another: the unit files are gone, and what is left of ours is forgotten.
    await machine.sh('rm -r /etc/systemd/system.attached/web*');
    assert.deepEqual(
      (await list()).map(({ name, state }) => `${name} ${state}`),
      ['a.raw portablectl', 'web_1 detached', 'web_2 detached'],
    );
    assert.match(await refused('detach', 'web_1'), /^web_1: dynuserctl has not attached it/);
    assert.ok((await files()).every(path => !path.includes('web_1')));
    await machine.sh('rm -r /var/lib/portables');
  });

  it('of directories has services let go before their files do', async () => {
    await machine.sh('mkdir -p /run/service; cp /bin/sleep /usr/local/bin/s6-svscan');
    const scan = await machine.spawn(['/usr/local/bin/s6-svscan', '1000']);
    await machine.sh('until grep -qx s6-svscan /proc/[0-9]*/comm; do :; done');
    await make('/srv/api_1', { [unit('api.service')]: SERVICE });
    const { stdout } = await image('attach', '/srv/web_1', 'web', '--now');
    assert.equal(stdout, 'Attached web_1 to s6: web-more, web.\n');
    const supervised = ['s6-svok /etc/s6/sv/web', 's6-svok /etc/s6/sv/web-more'];
    const [told, ...calls] = await called();
    assert.equal(told, 's6-svscanctl -an /run/service');
    assert.deepEqual(calls.slice(0, 2).sort(), supervised);
    assert.deepEqual(calls.slice(2), ['s6-svc -u /etc/s6/sv/web-more', 's6-svc -u /etc/s6/sv/web']);
    await up('web');
    await done('attach', '/srv/api_1', '--enable');
    assert.deepEqual(await called(), ['s6-svscanctl -an /run/service']);
    assert.equal(await refused('detach', 'web_1', '--force'), 'web_1: web runs; stop it first, or use --now');
    await called();
    // They stop in their own time.
    await machine.sh('rm /run/up');
    await fails('s6-svok');
    assert.equal(await done('reattach', '/srv/web_1'), 'Attached web_1 in the place of web_1 to s6: web-more, web.\n');
    const again = await called();
    assert.deepEqual(again.slice(0, 2).sort(), [
      's6-svstat -o up /etc/s6/sv/web',
      's6-svstat -o up /etc/s6/sv/web-more',
    ]);
    assert.deepEqual(
      [again[2], again.slice(3, 5).sort(), again.slice(5)],
      ['s6-svscanctl -an /run/service', supervised, ['s6-svscanctl -an /run/service']],
    );
    assert.equal(await machine.sh('readlink /run/service/web'), '/etc/s6/sv/web', 'in the same directory');
    await done('detach', 'web_1');
    assert.deepEqual(
      (await called()).filter(call => !/^s6-sv(?:stat|ok) /.test(call)),
      ['s6-svscanctl -an /run/service', 's6-svscanctl -an /run/service'],
    );
    await machine.sh('rm -r /run/fails');
    scan.kill('SIGKILL');
    await scan.ended;
  });
});
