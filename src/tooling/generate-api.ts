/** Writes src/api/generated from src/api/interfaces: the .varlink files are the only truth of the wire. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { apiModule } from './api-module.ts';
import { CHECKOUT } from './checkout.ts';

const INTERFACES = `${CHECKOUT}src/api/interfaces/`;
export const GENERATED = `${CHECKOUT}src/api/generated/`;

/** @returns the text of each file that belongs into src/api/generated, by its name */
export function generatedFiles(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const source of readdirSync(INTERFACES).sort()) {
    if (source.endsWith('.varlink')) {
      const { name, module } = apiModule(source, readFileSync(INTERFACES + source, 'utf8'));
      files.set(`${name}.ts`, module);
    }
  }
  return files;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(GENERATED, { recursive: true });
  for (const [name, text] of generatedFiles()) {
    writeFileSync(GENERATED + name, text);
  }
}
