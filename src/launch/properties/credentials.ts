/** Secrets that a service is given as files (systemd.exec(5), "Credentials"). */
import type { Credential } from '../../api/generated/io-dynuser-allocator.ts';
import { type Fail, quote } from '../errors.ts';
import { COMPONENT_BYTES_MAX, CREDENTIALS_BYTES_MAX } from '../limits.ts';
import { readPath, type ValueContext } from '../syntax/values.ts';
import { unescapeBytes } from '../syntax/words.ts';
import { list, listReader } from './property.ts';

/** The directories of all services' credentials, each below the name of its unit. */
export const CREDENTIALS = '/run/credentials';

/** The credentials of the launcher itself, from its service manager or from the boot, come before those that an administrator or a package stores. */
const PLAIN_STORES = [
  '$CREDENTIALS_DIRECTORY',
  `${CREDENTIALS}/@system`,
  '/etc/credstore',
  '/run/credstore',
  '/usr/local/lib/credstore',
  '/usr/lib/credstore',
] as const;
const ENCRYPTED_STORES = [
  `${CREDENTIALS}/@encrypted`,
  '/etc/credstore.encrypted',
  '/run/credstore.encrypted',
  '/usr/local/lib/credstore.encrypted',
  '/usr/lib/credstore.encrypted',
] as const;

/** Otherwise the service would run without its secrets. */
const ROW = { needs: 'mounts', isVital: true } as const;

export const CREDENTIAL_ROWS = {
  LoadCredential: list((text, context) => [readLoad(text, false, context)], {
    ...ROW,
    otherNames: { LoadCredentialEncrypted: listReader((text, context) => [readLoad(text, true, context)]) },
    manual:
      'ID:PATH puts a file, the files of a directory, or what a socket sends into the directory that CREDENTIALS_DIRECTORY and %d name, for the user alone.',
  }),
  ImportCredential: list((text, context) => [readImport(text, context)], {
    ...ROW,
    manual:
      'GLOB or GLOB:NAME puts stored credentials there, by names or by how names begin (*), and under other names.',
  }),
  SetCredential: list((text, context) => [readSet(text, false, context)], {
    ...ROW,
    otherNames: { SetCredentialEncrypted: listReader((text, context) => [readSet(text, true, context)]) },
    manual: 'ID:TEXT puts a text with escapes there, unless something was loaded under that name. It is not a secret.',
  }),
};

/** @returns all credentials in the order in which the first of a name holds: loaded, imported, set */
export function credentialsOf(
  load: readonly Credential[],
  imported: readonly Credential[],
  set: readonly Credential[],
): Credential[] {
  const defaults = lastOfEach(set);
  const loaded = lastOfEach(load).map(credential =>
    defaults.some(({ name }) => name === idOf(credential)) ? { ...credential, optional: true } : credential,
  );
  return [...loaded, ...imported, ...defaults];
}

/** A later assignment of a name replaces an earlier one. */
function lastOfEach(credentials: readonly Credential[]): Credential[] {
  return [...new Map(credentials.map(credential => [idOf(credential), credential])).values()];
}

function idOf({ as, name }: Credential): string {
  return as ?? name;
}

function readLoad(text: string, encrypted: boolean, { expand, fail }: ValueContext): Credential {
  const [id, path = ''] = cut(text);
  const name = readName(expand(id), fail);
  const source = expand(path);
  const mark = encrypted ? { encrypted } : {};
  if (source.startsWith('/')) {
    return { kind: 'load', name, path: readPath(source, fail), ...mark };
  }
  const stored = source === '' ? name : readName(source, fail);
  const as = stored === name ? {} : { as: name };
  return { kind: 'stored', name: stored, stores: [...ENCRYPTED_STORES, ...PLAIN_STORES], ...as, ...mark };
}

function readImport(text: string, { expand, fail }: ValueContext): Credential {
  const [first, second = ''] = cut(text);
  const [glob, rename] = [expand(first), expand(second)];
  const prefix = glob.endsWith('*');
  const name = prefix ? glob.slice(0, -1) : glob;
  if (!(prefix && name === '')) {
    readName(name, fail);
  }
  if (/[*?[\]]/.test(name)) {
    fail(`a wildcard that is not at the end: ${quote(text)}; use names, or how they begin, as in "web.*"`);
  }
  const as = rename === '' ? {} : { as: readName(rename, fail) };
  return { kind: 'import', name, stores: [...PLAIN_STORES, ...ENCRYPTED_STORES], ...(prefix ? { prefix } : {}), ...as };
}

function readSet(text: string, encrypted: boolean, { expand, fail }: ValueContext): Credential {
  const [id, value] = cut(text);
  const name = readName(expand(id), fail);
  if (value === undefined) {
    return fail(`no value: ${quote(name)}; put it after a colon`);
  }
  // What systemd-creds(1) takes is base64 as it is, with white space.
  const bytes = encrypted ? Buffer.from(value) : unescapeBytes(value, fail, 'nul');
  if (bytes.length > CREDENTIALS_BYTES_MAX) {
    fail(`more than ${CREDENTIALS_BYTES_MAX} bytes; use LoadCredential=`);
  }
  return { kind: 'set', name, data: bytes.toString('base64'), ...(encrypted ? { encrypted } : {}) };
}

/** At the first colon. */
function cut(text: string): [string, string?] {
  const colon = text.indexOf(':');
  return colon < 0 ? [text] : [text.slice(0, colon), text.slice(colon + 1)];
}

/** The name of a file, of printable ASCII, so that it can be the name of a descriptor as well. */
function readName(text: string, fail: Fail): string {
  const isName = /^[\x20-9;-~]+$/.test(text) && !text.includes('/') && !['.', '..'].includes(text);
  return isName && text.length <= COMPONENT_BYTES_MAX
    ? text
    : fail(`not the name of a credential: ${quote(text)}; use ASCII characters without "/" and ":"`);
}
