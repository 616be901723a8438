/** The AppArmor profiles, as their parser reads them, and as the unit has the same privileges. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { it } from 'node:test';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';
import { readSource } from '../../support/sources.ts';

const FILE = 'packaging/examples/apparmor/dynuserd';

it('the profiles have no fault that their parser sees, with the kernel left out', () => {
  const { status, stderr } = spawnSync('apparmor_parser', ['--skip-kernel-load', '--skip-cache', CHECKOUT + FILE], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  const names = spawnSync('apparmor_parser', ['--names', '--skip-cache', CHECKOUT + FILE], { encoding: 'utf8' });
  assert.deepEqual(names.stdout.trim().split('\n').sort(), ['dynuser-helper', 'dynuserd']);
});

it('the profiles forbid nothing, and know every capability of the unit', () => {
  const profiles = [...readSource(FILE).matchAll(/^profile (\S+) (\S+) (.*)\{$([\s\S]*?)^\}$/gm)];
  assert.equal(profiles.length, 2);
  const unit = readSource('systemd/dynuserd.service');
  const capabilities = [...unit.matchAll(/^CapabilityBoundingSet=(.*)$/gm)]
    .flatMap(([, words = '']) => words.split(' '))
    .map(word => word.replace(/^CAP_/, '').toLowerCase());
  assert.ok(capabilities.length > 5);
  for (const [, name, program, flags, rules = ''] of profiles) {
    assert.match(flags ?? '', /flags=\(complain\)/, name);
    assert.match(program ?? '', /^\/usr\/lib\/dynuser\//);
    assert.deepEqual(
      capabilities.filter(capability => !rules.includes(`  capability ${capability},\n`)),
      [],
      name,
    );
  }
});
