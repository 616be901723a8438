/** The clients for Python and Go, one file each, with the real daemon. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { after, before, describe, it } from 'node:test';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';
import { DYNUSER_NSSWITCH, Installed } from '../../support/installed.ts';
import type { MachineProcess } from '../../support/machine/process.ts';
import { Machine } from '../../support/machine.ts';
import { GO } from '../../support/programs/look-up.ts';
import { until } from '../../support/until.ts';

const PYTHON = '/usr/bin/python3';
const PROGRAMS = `${CHECKOUT}test/support/programs`;

describe('a client', () => {
  let host: Installed;
  let daemon: MachineProcess;
  before(async () => {
    host = new Installed(await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH }));
    daemon = await host.startDaemon();
  });
  after(() => host.machine.stop());

  /** Runs a program that wants the daemon to be killed, and started again, where it says so. @returns its lines */
  const play = async (argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string[]> => {
    const program = await host.machine.spawn(argv, { env });
    let output = '';
    let errors = '';
    program.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    program.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    await until(
      () => `it waits for a restart: ${output}${errors}`,
      async () => output.includes('\nrestart '),
    );
    daemon.kill('SIGKILL');
    await daemon.ended;
    program.stdin.write('\n');
    daemon = await host.startDaemon();
    program.stdin.write('\n');
    await program.ended;
    assert.equal(errors, '');
    await host.untilNothingIsKept();
    return output.trim().split('\n');
  };

  it('for Python acquires, runs, releases, claims, and says why it was refused', {
    skip: !existsSync(PYTHON) && 'no Python',
  }, async () => {
    const env = { PYTHONPATH: `${CHECKOUT}clients/python`, PYTHONDONTWRITEBYTECODE: '1' };
    const lines = await play([PYTHON, `${PROGRAMS}/client.py`], env);
    assert.deepEqual(
      lines.map(line => line.replace(/^restart \d+$/, 'restart')),
      [
        'web True /run/web /run/web',
        '0',
        'web connection',
        'True 0',
        'InvalidName unit',
        'DirectoryFailed stateDirectory',
        'InvalidParameter sparkle',
        'NoSuchLease lease',
        'ConnectionFailed None',
        'allocate',
        'bound has ended',
        'restart',
        'True the daemon is lost',
        'True None NoSuchLease lease',
      ],
    );
  });

  it('for Go does the same', { skip: GO === undefined && 'no Go (golang-go)' }, async () => {
    const directory = mkdtempSync('/var/tmp/dynuser-go-');
    try {
      mkdirSync(`${directory}/dynuser`);
      cpSync(`${CHECKOUT}clients/go/dynuser.go`, `${directory}/dynuser/dynuser.go`);
      cpSync(`${PROGRAMS}/client.go`, `${directory}/main.go`);
      writeFileSync(`${directory}/go.mod`, 'module example\n\ngo 1.21\n');
      const env = {
        PATH: process.env['PATH'],
        GOCACHE: `${homedir()}/.cache/go-build`,
        GOFLAGS: '-mod=mod',
        CGO_ENABLED: '0',
      };
      execFileSync(GO ?? '', ['vet', './...'], { cwd: directory, env, stdio: 'pipe' });
      execFileSync(GO ?? '', ['build', '-o', 'client', '.'], { cwd: directory, env, stdio: 'pipe' });
      const lines = await play([`${directory}/client`]);
      assert.deepEqual(
        lines.map(line => line.replace(/^restart \d+$/, 'restart')),
        [
          'web true /run/web /run/web',
          '1 web connection',
          '"" signal: terminated',
          'InvalidName unit true',
          'NoSuchLease lease',
          'ConnectionFailed ',
          'Timeout ',
          'restart',
          'true',
          '<nil>',
        ],
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
