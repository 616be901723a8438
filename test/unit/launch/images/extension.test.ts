/** Which system an extension is for, by its extension-release. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { judgeExtension } from '../../../../src/launch/images/extension.ts';

const SYSEXT = '/usr/lib/extension-release.d/extension-release.ext';
const CONFEXT = '/etc/extension-release.d/extension-release.ext';

/** @param files of the extension, by their paths @param system what the root's os-release has @returns the problem, or the classes */
function judge(files: Readonly<Record<string, string>>, system: Readonly<Record<string, string>>): string {
  const { classes, problem } = judgeExtension(
    '/i/ext_3.raw',
    { file: path => files[path] },
    new Map(Object.entries(system)),
    'x86-64',
  );
  return problem ?? classes.join(' ');
}

it('it is for the version of the system, or for its level if both have one', () => {
  const system = { ID: 'tested', VERSION_ID: '12', SYSEXT_LEVEL: '2', CONFEXT_LEVEL: '5' };
  const sysext = (release: string) => judge({ [SYSEXT]: `ID=tested\n${release}\n` }, system);
  assert.equal(sysext('VERSION_ID=12'), 'sysext');
  assert.equal(sysext('VERSION_ID=11'), 'it is for VERSION_ID=11, and the root is 12');
  assert.equal(sysext('VERSION_ID=11\nSYSEXT_LEVEL=2'), 'sysext');
  assert.equal(sysext('VERSION_ID=12\nSYSEXT_LEVEL=3'), 'it is for SYSEXT_LEVEL=3, and the root is 2');
  assert.equal(sysext('VERSION_ID=12\nCONFEXT_LEVEL=3'), 'sysext');
  assert.equal(judge({ [CONFEXT]: 'ID=tested\nVERSION_ID=1\nCONFEXT_LEVEL=5\n' }, system), 'confext');
  const without = { ID: 'tested', VERSION_ID: '12' };
  assert.equal(judge({ [SYSEXT]: 'ID=tested\nVERSION_ID=12\nSYSEXT_LEVEL=3\n' }, without), 'sysext');
  assert.match(judge({ [SYSEXT]: 'ID=tested\nSYSEXT_LEVEL=3\n' }, without), /^it is for VERSION_ID=, /);
});

it('a system that is never released takes each version', () => {
  const rolling = { ID: 'tested' };
  assert.equal(judge({ [SYSEXT]: 'ID=tested\nVERSION_ID=12\n' }, rolling), 'sysext');
  assert.match(judge({ [SYSEXT]: 'ID=other\n' }, rolling), /it is for the system "other"/);
  const levelled = { ID: 'tested', SYSEXT_LEVEL: '2' };
  assert.match(judge({ [SYSEXT]: 'ID=tested\nSYSEXT_LEVEL=3\n' }, levelled), /^it is for SYSEXT_LEVEL=3/);
});

it('both classes have to be for the system, and none may be a system', () => {
  const system = { ID: 'tested', VERSION_ID: '1' };
  const fits = 'ID=tested\nVERSION_ID=1\n';
  assert.equal(judge({ [SYSEXT]: fits, [CONFEXT]: fits }, system), 'sysext confext');
  assert.match(judge({ [SYSEXT]: fits, [CONFEXT]: 'ID=other\n' }, system), /"other"/);
  assert.match(judge({ [SYSEXT]: fits, '/usr/lib/os-release': '' }, system), /it is a system/);
  assert.equal(judge({ [CONFEXT]: fits, '/usr/lib/os-release': '' }, system), 'confext');
  assert.match(judge({ [SYSEXT]: 'VERSION_ID=1\n' }, system), /has no ID=/);
  assert.match(judge({}, system), /^it has no extension-release\.ext_3 in /);
  const versioned = SYSEXT.replace(/ext$/, 'ext_3');
  assert.match(judge({ [versioned]: 'ID=other\n', [SYSEXT]: fits }, system), /"other"/);
  assert.equal(judge({ [SYSEXT]: 'ID=_any\n' }, system), 'sysext');
  assert.match(judge({ [SYSEXT]: 'ID=_any\nARCHITECTURE=arm64\n' }, system), /for the architecture "arm64"/);
  assert.equal(judge({ [SYSEXT]: 'ID=_any\nARCHITECTURE=_any\n' }, system), 'sysext');
});
