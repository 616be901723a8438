/** The project's own files, as the contract tests read them. */
import { readdirSync, readFileSync } from 'node:fs';
import { CHECKOUT } from '../../src/tooling/checkout.ts';

/** @param path relative to the checkout */
export function readSource(path: string): string {
  return readFileSync(CHECKOUT + path, 'utf8');
}

/** @returns the paths, relative to the checkout, of the files below a directory whose name ends so, sorted */
export function sourcesBelow(directory: string, ending: string): string[] {
  return readdirSync(CHECKOUT + directory, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith(ending))
    .map(path => `${directory}/${path}`)
    .sort();
}
