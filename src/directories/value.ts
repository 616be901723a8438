/**
 * The value syntax of StateDirectory= and its siblings (systemd.exec(5)): `source[:destination[:flags]]`, with `\:` for
 * a colon within a part. Pure: says what a value names, and touches nothing.
 */

export const DIRECTORY_FLAGS = ['ro'] as const;

/** One directory of a request. */
export interface DirectoryValue {
  /** the path below the base directory, without "." components */
  readonly source: string;
  /** a further name for it below the base directory, a symlink */
  readonly destination?: string;
  readonly readOnly: boolean;
}

const COMPONENT_MAX = 255;

/** @returns the value, or the reason why it is none */
export function parseDirectoryValue(text: string): DirectoryValue | string {
  const parts = splitParts(text);
  if (parts.length > 3) {
    return `${JSON.stringify(text)} has more than three parts; a colon within a part is written "\\:"`;
  }
  const source = checkPath(parts[0] ?? '');
  if ('reason' in source) {
    return source.reason;
  }
  const flags = parts[2] ?? '';
  if (flags !== '' && !DIRECTORY_FLAGS.some(flag => flag === flags)) {
    return `${JSON.stringify(flags)} is no flag of a directory; there is only "ro"`;
  }
  const value = { source: source.path, readOnly: flags === 'ro' };
  if (parts[1] === undefined || parts[1] === '') {
    return value;
  }
  const destination = checkPath(parts[1]);
  return 'reason' in destination ? destination.reason : { ...value, destination: destination.path };
}

function splitParts(text: string): string[] {
  const parts = [''];
  for (let index = 0; index < text.length; index++) {
    const character = text.charAt(index);
    if (character === '\\' && (text.charAt(index + 1) === ':' || text.charAt(index + 1) === '\\')) {
      parts[parts.length - 1] += text.charAt(++index);
    } else if (character === ':') {
      parts.push('');
    } else {
      parts[parts.length - 1] += character;
    }
  }
  return parts;
}

function checkPath(path: string): { readonly path: string } | { readonly reason: string } {
  const shown = JSON.stringify(path.length > COMPONENT_MAX ? `${path.slice(0, COMPONENT_MAX)}…` : path);
  if (path.startsWith('/')) {
    return { reason: `${shown} must be relative: it is a path below the base directory` };
  }
  const components = path.split('/').filter(component => component !== '' && component !== '.');
  if (components.length === 0) {
    return { reason: `${shown} names no directory` };
  }
  if (components.includes('..')) {
    return { reason: `${shown} must not contain ".."` };
  }
  if (path.includes('\0') || components.some(component => Buffer.byteLength(component) > COMPONENT_MAX)) {
    return { reason: `${shown} has a component that no file system can hold` };
  }
  if (components[0] === 'private') {
    return { reason: `${shown} is the boundary itself, which no service may have` };
  }
  return { path: components.join('/') };
}
