/** The variables that tell a service its directories: STATE_DIRECTORY and its siblings (systemd.exec(5)). Pure. */
import { DIRECTORY_KINDS, type RequestedDirectory } from '../core/directory.ts';
import { type BaseDirectories, DIRECTORY_CLASSES } from './classes.ts';

/** @returns the public paths of each class that has any, joined by colons; a colon within a path is `\:` */
export function directoryEnvironment(
  directories: readonly RequestedDirectory[],
  bases: BaseDirectories,
): Readonly<Record<string, string>> {
  const environment: Record<string, string> = {};
  for (const kind of DIRECTORY_KINDS) {
    const paths = directories
      .filter(directory => directory.kind === kind)
      .map(directory => `${bases[kind]}/${directory.source}`.replace(/[\\:]/g, '\\$&'));
    if (paths.length > 0) {
      environment[DIRECTORY_CLASSES[kind].variable] = paths.join(':');
    }
  }
  return environment;
}
