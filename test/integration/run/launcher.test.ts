/** dynuser-run from its command line to the program that it becomes, in no world of its own. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { LauncherHost, UID } from './fake-daemon.ts';

describe('dynuser-run', () => {
  let host: LauncherHost;
  before(async () => {
    host = await LauncherHost.boot();
  });
  after(() => host.stop());

  it('becomes the command as the user: same process, status and arguments its own', async () => {
    assert.equal(await host.output({}, ['id']), `uid=${UID} gid=${UID} groups=${UID}`);
    const { status, stdout } = await host.run({}, ['sh', '-c', 'printf "%s|" "$0" "$@"; exit 42', 'a b', '', '-p']);
    assert.deepEqual([status, stdout], [42, 'a b||-p|']);
    const script = 'echo $$; exec dynuser-run -- sh -c \'echo $$ $(cut -d " " -f 4 /proc/$$/stat)\'';
    const [before = '', pid = '', parent] = (await host.machine.sh(script)).split(/\s/);
    assert.equal(pid, before);
    assert.notEqual(parent, '1', 'whoever started it is still its parent');
  });

  it('is ended by a signal as the command is, with the signal for its parent to see', async () => {
    assert.equal((await host.run({}, ['sh', '-c', 'kill -TERM $$'])).status, 128 + 15);
  });

  it('says what it asks for, in the order of the command line', async () => {
    const before = host.calls.length;
    await host.run({}, ['true'], {
      flags: [
        '-u',
        'x',
        '-p',
        'A=1',
        '--uid=u',
        '-pB=2',
        '-E',
        'C=d',
        '--ignore-unknown',
        '--isolation=best-effort',
        '-q',
      ],
    });
    assert.deepEqual(host.calls.slice(before), [
      {
        mayMount: true,
        unit: 'x',
        properties: ['A=1', 'User=u', 'B=2'],
        setEnvironment: ['C=d'],
        ignoreUnknown: true,
        isolation: 'bestEffort',
      },
    ]);
  });

  it('asks without the right to mount where it has none', async () => {
    const argv = ['setpriv', '--bounding-set', '-sys_admin', '--inh-caps', '-sys_admin', 'dynuser-run', 'true'];
    host.answer = () => ({ explanation: [] });
    await host.machine.run(argv);
    assert.equal(host.calls.at(-1)?.['mayMount'], false);
  });

  it('answers questions from its own world, and asks again with all answers', async () => {
    await host.machine.write('/etc/q/unit', 'text\n');
    await host.machine.write('/etc/q/unit.d/b.conf', '');
    const rounds = [
      [{ kind: 'file', path: '/etc/q/unit' } as const, { kind: 'directory', path: '/etc/q/unit.d' } as const],
      [{ kind: 'glob', path: '/etc/q/n*' } as const],
    ];
    const before = host.calls.length;
    host.answer = () => {
      const questions = rounds.shift();
      return questions === undefined ? { explanation: ['one', 'two'], warnings: ['careful'] } : { questions };
    };
    const { status, stdout, stderr } = await host.launch(['--explain', '--unit-file=/etc/q/unit', '--instance=i']);
    assert.deepEqual([status, stdout, stderr], [0, 'one\ntwo\n', 'dynuser-run: careful\n']);
    const own = { mayMount: true, unitFile: '/etc/q/unit', instance: 'i', explain: true };
    const answers = [
      { kind: 'file', path: '/etc/q/unit', found: true, text: 'text\n' },
      { kind: 'directory', path: '/etc/q/unit.d', found: true, names: ['b.conf'] },
    ];
    assert.deepEqual(host.calls.slice(before), [
      own,
      { ...own, answers },
      { ...own, answers: [...answers, { kind: 'glob', path: '/etc/q/n*', found: false }] },
    ]);
  });

  it('builds the environment from its own and the plan', async () => {
    const changes = { environment: ['A=1', 'B=2', 'A=3', 'HOME=/usr/games'], unsetEnvironment: ['OLD'] };
    const env = { OLD: 'x', KEPT: 'y', HOME: '/elsewhere' };
    const lines = (await host.output(changes, ['env'], { env })).split('\n').sort();
    assert.deepEqual(
      lines.filter(line => !/^(?:PATH|LANG)=/.test(line)),
      ['A=3', 'B=2', 'HOME=/usr/games', 'KEPT=y'],
    );
    const empty = await host.output({ inheritEnvironment: false, environment: ['A=1'] }, ['/usr/bin/env'], { env });
    assert.equal(empty, 'A=1');
  });

  it('finds programs in the PATH of the service, and says which it does not find or cannot execute', async () => {
    await host.machine.write('/opt/p/tool', '#!/bin/sh\necho found\n', 0o755);
    await host.machine.write('/opt/p/data', 'x', 0o644);
    await host.machine.write('/opt/p/orphan', '#!/no/such/interpreter\n', 0o755);
    // What root left it in PATH, and it may not enter, says nothing of what is there.
    await host.machine.output(['install', '-d', '-m', '0700', '/opt/shut']);
    const environment = ['PATH=/nowhere:/opt/shut:/opt/p:/usr/bin'];
    assert.equal(await host.output({ environment }, ['tool']), 'found');
    assert.equal(await host.output({ workingDirectory: '/opt/p', environment }, ['sh', '-c', 'tool']), 'found');
    const cases = [
      [['missing'], 127, /^dynuser-run: cannot find the program missing in the service's PATH$/],
      [['/opt/p/missing'], 127, /cannot find the program \/opt\/p\/missing$/],
      [['data'], 126, /cannot execute \/opt\/p\/data: Permission denied$/],
      [['/opt/p/data'], 126, /cannot execute \/opt\/p\/data: Permission denied$/],
      [['/opt/p'], 126, /cannot execute \/opt\/p: Permission denied$/],
      [['/opt/p/orphan'], 126, /cannot execute \/opt\/p\/orphan: the interpreter that it names does not exist$/],
    ] as const;
    for (const [argv, expected, words] of cases) {
      const { status, stderr } = await host.run({ environment }, argv);
      assert.equal(status, expected, argv[0]);
      assert.match(stderr.trimEnd(), words);
    }
  });

  it('takes a relative path from the directory that it was started in', async () => {
    await host.machine.write('/opt/p/tool', '#!/bin/sh\npwd\n', 0o755);
    assert.equal(await host.machine.sh('cd /opt && exec dynuser-run p/tool'), '/');
  });

  it('goes where the plan says, with the mask of the plan', async () => {
    const script = 'pwd; umask';
    assert.equal(await host.output({ workingDirectory: '/usr', umask: 0o027 }, ['sh', '-c', script]), '/usr\n0027');
    assert.equal(await host.output({}, ['pwd']), '/');
    const missing = await host.run({ workingDirectory: '/nowhere' }, ['true']);
    assert.equal(missing.status, 125);
    assert.match(missing.stderr, /working directory \/nowhere: No such file or directory/);
    assert.equal(await host.output({ workingDirectory: '/nowhere', workingDirectoryOptional: true }, ['pwd']), '/');
    await host.machine.output(['mkdir', '-m', '700', '-p', '/srv/closed']);
    assert.equal(
      (await host.run({ workingDirectory: '/srv/closed' }, ['true'])).status,
      125,
      'root alone could enter it',
    );
  });

  it('makes directories of the host, where it has no world too', async () => {
    const mountOps = [{ kind: 'mkdir', path: '/srv/made/deep', mode: 0o2750 }] as const;
    const argv = ['stat', '-c', '%a', '/srv/made', '/srv/made/deep'];
    assert.equal(await host.output({ mountOps, umask: 0o077 }, argv), '755\n2750');
  });

  it('passes on 2 MiB of arguments and 1,000 variables', async () => {
    const script = `ulimit -s unlimited 2>/dev/null || ulimit -s 65536
      x=$(head -c 100000 /dev/zero | tr '\\0' x); set --; i=0
      while [ $i -lt 21 ]; do set -- "$@" "$x"; i=$((i + 1)); done
      exec dynuser-run -- sh -c 'printf %s "$@" | wc -c' sh "$@"`;
    host.answer = host.planned({});
    assert.equal((await host.machine.sh(script)).split('\n').at(-1), '2100000');
    const names = Array.from({ length: 1_000 }, (_, index) => `V${index}`);
    const env = Object.fromEntries(names.map(name => [name, 'value']));
    const flags = names.map(name => `--setenv=${name}`);
    const environment = names.map(name => `${name}=planned`);
    const { stdout } = await host.run({ environment }, ['env'], { env, flags });
    assert.equal(stdout.match(/^V\d+=planned$/gm)?.length, 1_000);
    assert.deepEqual(
      host.calls.at(-1)?.['setEnvironment'],
      names.map(name => `${name}=value`),
    );
  });

  it('keeps its socket off closed streams, and opens /dev/null in their place', async () => {
    const script = "exec dynuser-run -- sh -c 'readlink /proc/$$/fd/0 /proc/$$/fd/2' 0<&- 2>&-";
    host.answer = host.planned({});
    assert.equal(await host.machine.sh(script), '/dev/null\n/dev/null');
    const all = 'dynuser-run -- sh -c "readlink /proc/self/fd/* >/tmp/streams" 0<&- 1>&- 2>&-; cat /tmp/streams';
    await host.machine.sh('install -m 666 /dev/null /tmp/streams');
    assert.equal(await host.machine.sh(all), '/dev/null\n/tmp/streams\n/dev/null');
  });

  it('closes what it inherited, but for sockets that are meant for this process', async () => {
    const listing = 'ls /proc/self/fd | wc -l';
    host.answer = host.planned({});
    const plain = ['sh', '-c', `exec dynuser-run -- sh -c '${listing}' 5</etc/passwd 9</etc/group`];
    assert.equal(await host.machine.output(plain), '4', 'three streams and the directory');
    const sockets = `exec env LISTEN_PID=$$ LISTEN_FDS=2 dynuser-run -- sh -c 'echo $LISTEN_FDS; readlink /proc/$$/fd/3 /proc/$$/fd/4; test -e /proc/$$/fd/5' 3</etc/passwd 4</etc/group 5</etc/hosts`;
    const passed = await host.machine.run(['sh', '-c', sockets]);
    assert.deepEqual([passed.status, passed.stdout], [1, '2\n/etc/passwd\n/etc/group\n']);
  });

  it('gives signals their default actions and lets them through', async () => {
    host.answer = host.planned({});
    const script = "trap '' TERM PIPE HUP; exec dynuser-run -- cat /proc/self/status";
    const zero = '0000000000000000';
    const status = await host.machine.sh(script);
    const lines = status.match(/^Sig(?:Blk|Ign|Cgt):.*$/gm);
    assert.deepEqual(lines, [`SigBlk:\t${zero}`, `SigIgn:\t${zero}`, `SigCgt:\t${zero}`]);
  });
});
