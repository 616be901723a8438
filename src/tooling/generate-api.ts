/**
 * Writes what src/api/interfaces declares as TypeScript and C, and what src/core says as C: the .varlink files are the
 * only truth of the wire.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseInterface } from '../varlink/idl/parse.ts';
import { acquireOptionTypes, apiModule, serviceDescription, wireNames } from './api-module.ts';
import { CHECKOUT } from './checkout.ts';
import { launchTables, sharedConstants } from './native-headers.ts';

const INTERFACES = 'src/api/interfaces';
export const GENERATED = 'src/api/generated';
const ALLOCATOR = 'io.dynuser.Allocator.varlink';
const SERVICE = 'org.varlink.service.varlink';

/** @returns the text of each generated file, by its path in the checkout */
export function generatedFiles(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const source of readdirSync(`${CHECKOUT}${INTERFACES}`).sort()) {
    // The library serves that one, and needs its text alone.
    if (source.endsWith('.varlink') && source !== SERVICE) {
      const { name, module } = apiModule(source, readInterface(source));
      files.set(`${GENERATED}/${name}.ts`, module);
    }
  }
  const allocator = parseInterface(readInterface(ALLOCATOR));
  files.set('src/core/wire-names.ts', wireNames(ALLOCATOR, allocator));
  files.set('src/dbus/acquire-option-types.ts', acquireOptionTypes(ALLOCATOR, allocator));
  files.set('native/run/protocol/launch_tables.h', launchTables(ALLOCATOR, allocator));
  files.set('native/include/dynuser.h', sharedConstants());
  files.set('src/varlink/service-description.ts', serviceDescription(SERVICE, readInterface(SERVICE)));
  return files;
}

function readInterface(name: string): string {
  return readFileSync(`${CHECKOUT}${INTERFACES}/${name}`, 'utf8');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of generatedFiles()) {
    mkdirSync(dirname(CHECKOUT + path), { recursive: true });
    writeFileSync(CHECKOUT + path, text);
  }
}
