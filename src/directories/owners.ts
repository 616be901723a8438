/**
 * The owners of the trees that a request names: the first candidates, since with the owner's UID nothing has to change
 * hands. Looks only: what it says decides the order of candidates, and nothing is opened or made on its word.
 */
import { lstatSync, type Stats } from 'node:fs';
import { asUid, type Uid } from '../core/ids.ts';
import { hasCode } from '../files/pinned-directory.ts';
import type { DirectoryOwners, DirectoryRequest } from '../service/ports.ts';
import { BASE_DIRECTORIES, BOUNDARY } from './classes.ts';
import { parseDirectoryValue } from './value.ts';

export class TreeOwners implements DirectoryOwners {
  owners(directories: DirectoryRequest): readonly Uid[] {
    const found: Uid[] = [];
    for (const kind of ['runtime', 'state', 'cache', 'logs'] as const) {
      for (const text of directories[kind]) {
        const owner = ownerOf(BASE_DIRECTORIES[kind], text);
        if (owner !== undefined) {
          found.push(owner);
        }
      }
    }
    return found;
  }
}

function ownerOf(base: string, text: string): Uid | undefined {
  const value = parseDirectoryValue(text);
  if (typeof value === 'string') {
    return undefined;
  }
  const status = look(`${base}/${BOUNDARY}/${value.source}`) ?? look(`${base}/${value.source}`);
  return status?.isDirectory() === true ? asUid(status.uid) : undefined;
}

function look(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR') || hasCode(error, 'ELOOP')) {
      return undefined;
    }
    throw error;
  }
}
