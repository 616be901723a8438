/** Command lines and environments up to what the kernel takes, and beyond it and the bounds of the wire. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { LauncherHost, UID } from './fake-daemon.ts';

/** Shell: as many arguments of 100,000 bytes as its first one says, and room for them (execve(2): 6 MiB, however large the stack). */
const ARGUMENTS = `ulimit -s unlimited
  x=$(head -c 100000 /dev/zero | tr '\\0' x); n=$1; set --
  while [ "$n" -gt 0 ]; do set -- "$@" "$x"; n=$((n - 1)); done`;
const TOO_LONG = /cannot execute \/\S+: its arguments and environment are too long for the kernel: .*\(ulimit -s\)/;

describe('the size of what dynuser-run passes on', () => {
  let host: LauncherHost;
  before(async () => {
    host = await LauncherHost.boot();
  });
  after(() => host.stop());

  const withArguments = (count: number, command: string) =>
    host.machine.run(['sh', '-c', `${ARGUMENTS}\n${command}`, 'sh', String(count)]);

  it('is all that the kernel takes', async () => {
    host.answer = host.planned({});
    const calls = host.calls.length;
    const { stdout, stderr } = await withArguments(62, `exec dynuser-run -- sh -c 'echo $#; id -u' sh "$@"`);
    assert.equal(stdout, `62\n${UID}\n`, stderr);
    assert.deepEqual(host.calls.slice(calls), [{ mayMount: true }], 'arguments are nothing to the daemon');
  });

  it('is not more: the program is not executed, and why is said', async () => {
    const environment = ['A', 'B', 'C'].map(name => `${name}=${'x'.repeat(100_000)}`);
    host.answer = host.planned({ environment });
    const inAll = await withArguments(62, `exec dynuser-run -- sh -c 'echo no' sh "$@"`);
    assert.deepEqual([inAll.status, inAll.stdout], [126, '']);
    assert.match(inAll.stderr, TOO_LONG);
    const one = await host.run({ environment: [`A=${'x'.repeat(200_000)}`] }, ['/bin/echo', 'no']);
    assert.deepEqual([one.status, one.stdout], [126, '']);
    assert.match(one.stderr, TOO_LONG);
  });

  it('has as many variables as there are: those that are inherited do not go over the wire', async () => {
    host.answer = host.planned({ environment: ['V7=planned'] });
    const script = `exec env $(seq -f 'V%g=value' 20000) dynuser-run env`;
    const text = await host.machine.sh(script);
    assert.equal(text.match(/^V\d+=/gm)?.length, 20_000);
    assert.match(text, /^V7=planned$/m);
  });

  it('is bounded on the wire, before anything is sent', async () => {
    const calls = host.calls.length;
    // Each byte becomes six in JSON: twelve of these are more than the daemon takes, and less than the kernel does.
    const script = `x=$(head -c 120000 /dev/zero | tr '\\0' '\\001'); set --
      while [ $# -lt 12 ]; do set -- "$@" "-EV$#=$x"; done; ulimit -s unlimited; exec dynuser-run "$@" true`;
    const { status, stderr } = await host.machine.run(['sh', '-c', script]);
    assert.equal(status, 125);
    assert.match(stderr, /^dynuser-run: the options have more than \d+ bytes\n$/);
    assert.equal(host.calls.length, calls);
  });
});
