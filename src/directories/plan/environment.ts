/** The variables that tell a service its directories: STATE_DIRECTORY and its siblings (systemd.exec(5)). Pure. */
import { DIRECTORY_KINDS, type RequestedDirectory } from '../../core/directory.ts';
import { type BaseDirectories, DIRECTORY_CLASSES } from '../../core/directory-classes.ts';

/**
 * @returns the public paths of each class that has any, joined by colons. A colon within a path stays as it is, as with
 * systemd: a service that has one directory finds it, and one that has several must not have colons in their names.
 */
export function directoryEnvironment(
  directories: readonly RequestedDirectory[],
  bases: BaseDirectories,
): Readonly<Record<string, string>> {
  const environment: Record<string, string> = {};
  for (const kind of DIRECTORY_KINDS) {
    const paths = directories
      .filter(directory => directory.kind === kind)
      .map(directory => `${bases[kind]}/${directory.source}`);
    if (paths.length > 0) {
      environment[DIRECTORY_CLASSES[kind].variable] = paths.join(':');
    }
  }
  return environment;
}
