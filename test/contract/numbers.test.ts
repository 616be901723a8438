/** The numbers and names that C and TypeScript share: native/include/dynuser.h says what src says, whole. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseUserName, USER_NAME_MAX } from '../../src/core/name.ts';
import { ALLOCATOR_SOCKET, BY_NAME, BY_UID, RUNTIME_DIRECTORY, SOCKET } from '../../src/core/paths.ts';
import { DEFAULT_RANGE, POSSIBLE_UIDS, RESERVED_UIDS } from '../../src/core/range.ts';
import { HOME_DIRECTORY, REAL_NAME, SHELL, USER_DATABASE_SERVICE } from '../../src/core/records.ts';
import { VERSION } from '../../src/core/version.ts';
import { readSource, sourcesBelow } from '../support/sources.ts';

/** What src has no name for: who reads it is C alone, or the records of shadow(5), which only C makes. */
const IN_C_ALONE: Readonly<Record<string, string | number>> = {
  DYNUSER_ENV_BYPASS: 'DYNUSER_NSS_BYPASS',
  DYNUSER_ENV_SOURCE: 'DYNUSER_NSS_SOURCE',
  DYNUSER_PASSWORD: 'x',
  DYNUSER_LOCKED_PASSWORD: '!*',
  DYNUSER_SHADOW_EXPIRE: 1,
};

const SHARED: Readonly<Record<string, string | number | undefined>> = {
  DYNUSER_UID_MIN: DEFAULT_RANGE.first,
  DYNUSER_UID_MAX: DEFAULT_RANGE.last,
  DYNUSER_UID_POSSIBLE_MIN: POSSIBLE_UIDS.first,
  DYNUSER_UID_POSSIBLE_MAX: POSSIBLE_UIDS.last,
  DYNUSER_UID_NOBODY: RESERVED_UIDS[0],
  DYNUSER_UID_INVALID16: RESERVED_UIDS[1],
  DYNUSER_NAME_MAX: USER_NAME_MAX,
  DYNUSER_VERSION: VERSION,
  DYNUSER_RUNTIME_DIRECTORY: RUNTIME_DIRECTORY,
  DYNUSER_BY_UID: BY_UID,
  DYNUSER_BY_NAME: BY_NAME,
  DYNUSER_SOCKET: SOCKET,
  DYNUSER_ALLOCATOR_SOCKET: ALLOCATOR_SOCKET,
  DYNUSER_SERVICE: USER_DATABASE_SERVICE,
  DYNUSER_ENV_RUNTIME_DIRECTORY: 'DYNUSER_RUNTIME_DIRECTORY',
  DYNUSER_GECOS: REAL_NAME,
  DYNUSER_HOME: HOME_DIRECTORY,
  DYNUSER_SHELL: SHELL,
};

function constantsOf(header: string): Record<string, string | number> {
  const definitions = header.matchAll(/^#define (DYNUSER_(?!H$)\w+) (?:"([^"]*)"|(\d+)U?)$/gm);
  return Object.fromEntries([...definitions].map(([, name, text, number]) => [name ?? '', text ?? Number(number)]));
}

it('dynuser.h says what src says, and every constant in it is accounted for', () => {
  assert.deepEqual(constantsOf(readSource('native/include/dynuser.h')), { ...SHARED, ...IN_C_ALONE });
});

it('every #define of dynuser.h is read by this test', () => {
  const header = readSource('native/include/dynuser.h');
  const defined = [...header.matchAll(/^#define (\w+)(?= )/gm)].map(([, name]) => name);
  assert.deepEqual(Object.keys(constantsOf(header)), defined);
});

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
