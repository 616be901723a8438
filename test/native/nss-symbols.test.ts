/** What the NSS module is to the dynamic linker: its symbols are exactly those of NSS, and it needs libc alone. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { BUILD, buildNative } from '../support/native.ts';
import { NSS_MODULE, run } from './support/nss.ts';

/** The functions of glibc's interface, without their prefix. */
const ENTRY_POINTS = [
  ...['getpwnam_r', 'getpwuid_r', 'setpwent', 'getpwent_r', 'endpwent'],
  ...['getgrnam_r', 'getgrgid_r', 'setgrent', 'getgrent_r', 'endgrent'],
  ...['getspnam_r', 'setspent', 'getspent_r', 'endspent'],
  ...['getsgnam_r', 'setsgent', 'getsgent_r', 'endsgent'],
  'initgroups_dyn',
];

buildNative('nss-tests', BUILD);

async function output(program: string, ...parameters: string[]): Promise<string> {
  const { status, stdout, stderr } = await run(program, parameters, { LC_ALL: 'C' });
  assert.equal(status, 0, stderr);
  return stdout;
}

it('exports the entry points of NSS and nothing else', async () => {
  const lines = (await output('nm', '-D', '--defined-only', '--format=posix', NSS_MODULE)).trim().split('\n');
  const symbols = lines.map(line => line.split(' ')[0]);
  assert.deepEqual(symbols.sort(), ENTRY_POINTS.map(name => `_nss_dynuser_${name}`).sort());
});

it('has the name that glibc looks for, and needs libc alone', async () => {
  const dynamic = await output('readelf', '--dynamic', '--wide', NSS_MODULE);
  assert.match(dynamic, /\(SONAME\).*\[libnss_dynuser\.so\.2\]/);
  const needed = [...dynamic.matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(([, library]) => library);
  assert.deepEqual(needed, ['libc.so.6']);
});

it('is bound when it is loaded, has no executable stack and no thread-local storage', async () => {
  const dynamic = await output('readelf', '--dynamic', '--wide', NSS_MODULE);
  assert.match(dynamic, /\(FLAGS\).*BIND_NOW/);
  const segments = await output('readelf', '--segments', '--wide', NSS_MODULE);
  assert.match(segments, /GNU_STACK.* RW /);
  assert.match(segments, /GNU_RELRO/);
  assert.doesNotMatch(segments, /^\s+TLS\s/m);
});
