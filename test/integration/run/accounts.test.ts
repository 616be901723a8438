/** Whom dynuser-run asks for groups, homes and shells: getent(1), with what it may be up to, and without it the files. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { LaunchPlan } from '../../../src/api/generated/io-dynuser-allocator.ts';
import { LauncherHost, UID } from './fake-daemon.ts';

const GETENT = '/usr/bin/getent';
const REAL = '/usr/bin/getent.real';
const ASKED = '/run/asked';
/** A static user: its groups and its account are asked for. */
const GAMES: Partial<LaunchPlan> = { userName: 'games', uid: 5, gid: 60, dynamic: false };
const NAMED: Partial<LaunchPlan> = { groups: ['disk', '7', 'adm', 'disk'] };
const DEADLINE_MS = 60_000;

describe('the accounts that dynuser-run asks for', () => {
  let host: LauncherHost;
  before(async () => {
    host = await LauncherHost.boot();
    await host.machine.sh(`echo extra:x:4711:games >>/etc/group; mv ${GETENT} ${REAL}`);
  });
  after(() => host.stop());
  beforeEach(() => getent(`echo "$@" >>${ASKED}; exec ${REAL} "$@"`));

  /** Puts a script in the place of getent. */
  const getent = async (script: string): Promise<void> => {
    await host.machine.output(['rm', '-f', ASKED, GETENT]);
    await host.machine.write(GETENT, `#!/bin/sh\n${script}\n`, 0o755);
  };
  const asked = async (): Promise<string> => (await host.machine.run(['cat', ASKED])).stdout;
  const groups = (changes: Partial<LaunchPlan>): Promise<string> => host.output(changes, ['id', '-G']);
  const fails = async (changes: Partial<LaunchPlan>, words: RegExp): Promise<void> => {
    const { status, stdout, stderr } = await host.run(changes, ['echo', 'ran'], { timeoutMs: DEADLINE_MS });
    assert.deepEqual([status, stdout], [125, '']);
    assert.match(stderr, words);
    assert.equal(stderr.match(/^dynuser-run: .*\n/gm)?.length, 1, stderr);
  };

  it('are none for a dynamic user, whatever its groups are, unless one has a name', async () => {
    assert.equal(await groups({ groups: ['7', '4711'] }), `${UID} 7 4711`);
    assert.equal(await asked(), '');
  });

  it('are all groups with names in one question', async () => {
    assert.equal(await groups(NAMED), `${UID} 4 6 7`);
    assert.equal(await asked(), 'group disk adm disk\n');
  });

  it('are the groups of a static user, and its home and shell where the plan asks', async () => {
    assert.equal(await groups(GAMES), '60 4711');
    assert.equal(await asked(), 'initgroups games\n');
    await host.machine.output(['rm', ASKED]);
    const environment = await host.output({ ...GAMES, accountEnvironment: true }, ['env']);
    assert.match(environment, /^HOME=\/usr\/games$/m);
    assert.equal(await asked(), 'initgroups games\npasswd games\n');
  });

  it('say which one is not there', async () => {
    await fails({ groups: ['disk', 'no-such', 'adm'] }, /^dynuser-run: there is no group 'no-such'$/m);
    await fails({ groups: ['no-such', 'nor-this'] }, /there is no group 'no-such'/);
    await fails({ groups: ['disk', 'no-such'] }, /there is no group 'no-such'/);
    await fails({ ...GAMES, userName: 'no-such', accountEnvironment: true }, /there is no user 'no-such'/);
  });

  it('are not asked for by what would be an option or a number to getent', async () => {
    for (const name of ['-i', '--service=x', '+60', ' 60', '4294967295', '99999999999999999999', 'a:b', 'a\nb', '']) {
      await fails({ groups: ['disk', name] }, /there is no group '/);
      await fails({ ...GAMES, userName: name }, /there is no user '/);
    }
    assert.equal(await asked(), '');
  });

  it('may be spelled by their source as it likes', async () => {
    await getent('printf "DISK:x:6:\\nAdm:x:4:\\nDISK:x:6:\\n"');
    assert.equal(await groups(NAMED), `${UID} 4 6 7`);
  });

  it('are those of the files where there is no getent, or one that does not know the question', async () => {
    for (const there of [false, true]) {
      await getent(`[ $1 != initgroups ] || exit 1; exec ${REAL} "$@"`);
      if (!there) {
        await host.machine.output(['rm', GETENT]);
      }
      assert.equal(await groups(NAMED), `${UID} 4 6 7`);
      assert.equal(await groups(GAMES), '60 4711');
      assert.match(await host.output({ ...GAMES, accountEnvironment: true }, ['env']), /^HOME=\/usr\/games$/m);
      await fails({ groups: ['disk', 'no-such'] }, /there is no group 'no-such'/);
      await fails({ ...GAMES, userName: 'no-such', accountEnvironment: true }, /there is no user 'no-such'/);
    }
  });

  it('are more groups than anybody has room for at first', async () => {
    const many = Array.from({ length: 3000 }, (_, index) => 10_000 + index);
    const lines = many.map(id => `many${id}:x:${id}:games\n`).join('');
    await host.machine.output(['cp', '/etc/group', '/etc/group.before']);
    await host.machine.write('/etc/group', `${await host.machine.output(['cat', '/etc/group'])}\n${lines}`);
    const expected = `60 4711 ${many.join(' ')}`;
    const script = ['sh', '-c', 'sed -n "s/^Groups:\\t//p" /proc/self/status'];
    assert.equal((await host.output(GAMES, script)).trim(), expected);
    await host.machine.output(['rm', GETENT]);
    assert.equal((await host.output(GAMES, script)).trim(), expected);
    await host.machine.output(['mv', '/etc/group.before', '/etc/group']);
  });

  it('come from a process that has nothing of the launcher but its place', async () => {
    const witness = 'env; ls -l /proc/self/fd; cat /proc/self/status; readlink /proc/self/fd/0; cat';
    await getent(`{ ${witness}; } >${ASKED} 2>&1; exec ${REAL} "$@"`);
    const script = `trap "" HUP INT USR1; exec 5</etc/hostname; SECRET=1 exec dynuser-run true <<X\ninput\nX`;
    host.answer = host.planned(GAMES);
    await host.machine.sh(script);
    const said = await asked();
    assert.match(said, /^PATH=\/usr\/sbin:\/usr\/bin:\/sbin:\/bin$/m);
    assert.match(said, /^LC_ALL=C$/m);
    assert.doesNotMatch(said, /SECRET|hostname|socket:|input/);
    assert.match(said, /^SigBlk:\t0+\nSigIgn:\t0+\n/m);
    assert.match(said, /^\/dev\/null$/m);
  });

  it('are nobody where getent fails, crashes, or prints what it never does', async () => {
    const cases: readonly (readonly [script: string, words: RegExp])[] = [
      ['exit 3', /'\/usr\/bin\/getent initgroups' failed with exit status 3/],
      ['kill -SEGV $$', /'\/usr\/bin\/getent initgroups' was ended by signal 11 \(Segmentation fault\)/],
      ['exit 0', /printed what getent\(1\) does not print/],
      ['echo games 60 x', /printed what getent\(1\) does not print/],
      ['printf "games 60"', /printed what getent\(1\) does not print/],
      ['echo other 60', /printed what getent\(1\) does not print/],
      ['echo games 4294967295', /printed what getent\(1\) does not print/],
      ['yes "games 60"', /answered with more than \d+ bytes/],
      [
        'i=0; while [ $i -lt 66000 ]; do i=$((i + 1)); printf " $i"; done | sed "s/^/games/"; echo',
        /in more than 65536 groups/,
      ],
    ];
    for (const [script, words] of cases) {
      await getent(script);
      await fails(GAMES, words);
    }
    await getent('exit 1');
    await fails(NAMED, /'getent group disk' failed with exit status 1/);
    for (const script of ['exit 0', 'echo disk:x:6:', 'printf "disk:x:6:\\nadm:x:4:\\ndisk:x:6:\\nmore:x:8:\\n"']) {
      await getent(script);
      await fails(NAMED, /printed what getent\(1\) does not print/);
    }
    for (const script of ['exit 0', 'echo games:x:5:60::/', 'echo games:x:5:60::/:/bin/sh:']) {
      await getent(`[ $1 = passwd ] || exec ${REAL} "$@"\n${script}`);
      await fails({ ...GAMES, accountEnvironment: true }, /printed what getent\(1\) does not print/);
    }
    await host.machine.output(['chmod', '-x', GETENT]);
    await fails(GAMES, /cannot execute \/usr\/bin\/getent: Permission denied/);
  });

  it('are complete when getent has ended, whoever keeps its output open or has closed it', async () => {
    await getent(`sleep 1000 2>/dev/null & echo $! >${ASKED}; exec ${REAL} "$@"`);
    assert.equal(await groups(GAMES), '60 4711');
    await host.machine.sh(`kill $(cat ${ASKED})`);
    await getent('echo games 4711; exec >&-; i=0; while [ $i -lt 3000 ]; do i=$((i + 1)); done; exit 3');
    await fails(GAMES, /failed with exit status 3/);
  });

  it('are waited for no longer than a daemon, nor after the launcher has ended', async () => {
    await getent(`echo $$ >${ASKED}; exec sleep 1000`);
    const gone = ['sh', '-c', `while kill -0 $(cat ${ASKED}) 2>/dev/null; do sleep 0.02; done; rm ${ASKED}`];
    await fails(
      GAMES,
      /'\/usr\/bin\/getent initgroups' takes longer than 30 seconds; a source in \/etc\/nsswitch\.conf/,
    );
    await host.machine.output(gone);
    host.answer = host.planned(GAMES);
    const killed = `dynuser-run true & while ! [ -s ${ASKED} ]; do sleep 0.02; done; kill -9 $!; wait $!; echo $?`;
    assert.equal(await host.machine.sh(killed), '137');
    await host.machine.output(gone);
  });
});
