/**
 * `npm run generate [-- --headers]`: writes what src/api/interfaces declares as TypeScript, and with --headers what that and src/core say as C.
 * The .varlink files are the only truth of the wire. The build makes the TypeScript anew, which is not in git. The headers are, because
 * dynuser-run is also built where there is no Node. This runs before anything is compiled, and so imports nothing that it writes.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
  const files = generatedFiles();
  mkdirSync(CHECKOUT + GENERATED, { recursive: true });
  for (const name of readdirSync(CHECKOUT + GENERATED)) {
    // Of an interface that is gone.
    if (!files.has(`${GENERATED}/${name}`)) {
      rmSync(`${CHECKOUT}${GENERATED}/${name}`);
    }
  }
  for (const [path, text] of files) {
    const file = CHECKOUT + path;
    if (path.endsWith('.h') && !process.argv.includes('--headers')) {
      continue;
    }
    // What is as it was keeps its time, by which is built what needs to be.
    if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
      writeFileSync(file, text);
    }
  }
}
