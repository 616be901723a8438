/** UAPI.20, "Recognizing Varlink Socket Inodes": sockets have their role as an attribute, under a kernel that takes it. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Machine } from '../../support/machine.ts';
import { runUnderOtherKernel, type StepResult, skipUnlessKernel } from '../../support/other-kernel.ts';

/** Prints the role of what is at a path, or the error. */
const ROLE =
  'python3 -c \'import os, sys; print(*(os.getxattr(path, "user.varlink").decode() for path in sys.argv[1:]))\'';
/** With a connection to each socket, the roles of all sockets that the daemon has. */
const OPEN = `python3 - <<'END'
import os, socket
held = []
for path in ["/run/dynuser/io.dynuser.Allocator", "/run/dynuser/io.dynuser.DynamicUser"]:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    connection.send(b'{"method":"org.varlink.service.GetInfo"}\\0')
    connection.recv(1)
    held.append(connection)
for pid in filter(str.isdigit, os.listdir("/proc")):
    with open(f"/proc/{pid}/cmdline") as file:
        if "dynuserd.js" not in file.read():
            continue
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            print(os.getxattr(f"/proc/{pid}/fd/{number}", "user.varlink").decode())
        except OSError:
            pass
END`;

describe('sockets of varlink', { skip: skipUnlessKernel([7, 0]) }, () => {
  let machine: Machine;
  let results: ReadonlyMap<string, StepResult> = new Map();
  before(async () => {
    machine = await Machine.boot({ init: 'plain', stage: true });
    const paths =
      '/run/dynuser/io.dynuser.Allocator /run/dynuser/io.dynuser.DynamicUser /run/varlink/registry/io.dynuser.Allocator';
    results = await runUnderOtherKernel(machine, [
      { name: 'paths', script: `${ROLE} ${paths}` },
      { name: 'other', script: `${ROLE} /run/dynuser/nscd/socket` },
      { name: 'open', script: OPEN },
    ]);
  });
  after(() => machine?.stop());

  it('have the role of an entry point at their paths, and no other socket has', () => {
    assert.deepEqual(results.get('paths'), { status: 0, text: 'entrypoint entrypoint entrypoint\n' });
    assert.match(results.get('other')?.text ?? '', /No data available/);
  });

  it('have the role of what listens, and of what was accepted', () => {
    const roles = (results.get('open')?.text ?? '').trim().split('\n').sort();
    assert.deepEqual(roles, ['listen', 'listen', 'server', 'server']);
  });
});
