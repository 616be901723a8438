/**
 * Removes the directories of services that have ended, on hosts without systemd, as `systemctl clean --what=all` does elsewhere. Others may own
 * parts of the path to such a directory, so no symlink is followed, and dynuser-helper empties a tree by its descriptor.
 */
import { spawn } from 'node:child_process';
import { closeSync, constants, lstatSync, openSync, rmdirSync, unlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { hasCode } from '../../files/pinned-directory.ts';
import type { DirectoryPlace } from '../../launch/launch.ts';
import { CommandFailure } from '../failure.ts';
import { directoriesOfUnitFile } from '../judge-unit.ts';
import { printable } from '../render/text.ts';
import type { Attachment } from './attachments.ts';

/** What is kept of what the helper says, in bytes: its last line is the reason. */
const SAID_MAX = 4_096;

/** @returns the places of all services that dynuser-run starts for an attachment, each once */
export function placesOfAttachment({ made, services }: Attachment): DirectoryPlace[] {
  const units = made.flatMap(({ kind, path }) => (kind === 'file' && path.endsWith('.service') ? [path] : []));
  const places = units.flatMap(path => {
    const prefix = basename(path).replace(/\.service$/, '');
    const instances = prefix.endsWith('@')
      ? services.flatMap(name => (name.startsWith(prefix) ? [name.slice(prefix.length)] : []))
      : [undefined];
    return instances.flatMap(instance => directoriesOfUnitFile(path, instance));
  });
  const known = new Map(places.map(place => [`${place.base}/${place.path}`, place]));
  // What is in another one goes first.
  return [...known.values()].sort((one, other) => other.path.split('/').length - one.path.split('/').length);
}

/** @param helper the path of dynuser-helper. @throws CommandFailure, NodeJS.ErrnoException */
export async function removePlace(helper: string, { base, path }: DirectoryPlace): Promise<void> {
  const components = path.split('/');
  const name = components.pop() ?? '';
  const parent = openBelow(base, components);
  if (parent === undefined) {
    return;
  }
  try {
    const place = `/proc/self/fd/${parent}/${name}`;
    const status = lstatSync(place, { throwIfNoEntry: false });
    if (status?.isSymbolicLink() === true) {
      unlinkSync(place);
    } else if (status?.isDirectory() === true) {
      await empty(helper, place, `${base}/${path}`);
      rmdirSync(place);
    }
  } finally {
    closeSync(parent);
  }
}

/** @returns a descriptor; undefined if a part is missing, or is not a directory */
function openBelow(base: string, components: readonly string[]): number | undefined {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  let at = base;
  let descriptor: number | undefined;
  for (const component of ['.', ...components]) {
    const above = descriptor;
    try {
      descriptor = openSync(`${at}/${component}`, flags);
    } catch (error) {
      if (['ENOENT', 'ENOTDIR', 'ELOOP'].some(code => hasCode(error, code))) {
        return undefined;
      }
      throw error;
    } finally {
      if (above !== undefined) {
        closeSync(above);
      }
    }
    at = `/proc/self/fd/${descriptor}`;
  }
  return descriptor;
}

async function empty(helper: string, place: string, shown: string): Promise<void> {
  const top = openSync(place, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    const child = spawn(helper, ['tree', 'remove'], { stdio: ['ignore', 'pipe', 'ignore', top], env: {}, cwd: '/' });
    let said = '';
    child.stdout?.setEncoding('latin1').on('data', (text: string) => {
      said = `${said}${text}`.slice(-SAID_MAX);
    });
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (status !== 0) {
      const words = printable(said.trim().split('\n').at(-1) ?? '') || `the helper ended with the status ${status}`;
      throw new CommandFailure(`${printable(shown)} cannot be removed: ${words}`);
    }
  } finally {
    closeSync(top);
  }
}
