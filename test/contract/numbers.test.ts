/** The numbers and names that C and TypeScript share are in one place: native/include/dynuser.h is generated from src/core. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseUserName, USER_NAME_MAX } from '../../src/core/name.ts';
import { readSource, sourcesBelow } from '../support/sources.ts';

it('the bound on names is the grammar', () => {
  assert.ok('name' in parseUserName('a'.repeat(USER_NAME_MAX)));
  assert.ok('reason' in parseUserName('a'.repeat(USER_NAME_MAX + 1)));
});

it('no C file has a path or a number of its own for what dynuser.h says', () => {
  const copies = [...sourcesBelow('native', '.c'), ...sourcesBelow('native', '.h')]
    .filter(path => path !== 'native/include/dynuser.h')
    .filter(path =>
      /"[^"\n]*\/run\/dynuser|"io\.dynuser\.DynamicUser"|\b(?:61184|65519|60578)\b/.test(readSource(path)),
    );
  assert.deepEqual(copies, []);
});
