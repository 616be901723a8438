/** Reads the lines of `dynuser-helper tree` (native/helper/tree/report.h). Pure; what is no such line is undefined. */

export type TreeLine =
  | { readonly kind: 'progress'; readonly inodes: number; readonly changed: number }
  | { readonly kind: 'mount' | 'left' | 'changed'; readonly path: string }
  | {
      readonly kind: 'done';
      readonly inodes: number;
      readonly changed: number;
      readonly left: number;
      readonly mounts: number;
    }
  | { readonly kind: 'yes' }
  | { readonly kind: 'no'; readonly call: string; readonly errno: number }
  | { readonly kind: 'failed'; readonly call: string; readonly errno: number; readonly path: string };

export function parseTreeLine(line: string): TreeLine | undefined {
  const [kind, ...fields] = line.split(' ');
  const [first = '', , third = ''] = fields;
  const numbers = fields.map(readNumber);
  const [a, b, c, d] = numbers;
  switch (`${kind}/${fields.length}`) {
    case 'progress/2':
      return a === undefined || b === undefined ? undefined : { kind: 'progress', inodes: a, changed: b };
    case 'done/4':
      return a === undefined || b === undefined || c === undefined || d === undefined
        ? undefined
        : { kind: 'done', inodes: a, changed: b, left: c, mounts: d };
    case 'mount/1':
      return { kind: 'mount', path: readPath(first) };
    case 'left/1':
      return { kind: 'left', path: readPath(first) };
    case 'changed/1':
      return { kind: 'changed', path: readPath(first) };
    case 'yes/0':
      return { kind: 'yes' };
    case 'no/2':
      return b === undefined ? undefined : { kind: 'no', call: first, errno: b };
    case 'failed/3':
      return b === undefined ? undefined : { kind: 'failed', call: first, errno: b, path: readPath(third) };
    default:
      return undefined;
  }
}

function readNumber(text: string): number | undefined {
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}

/** A path is for people: what a log or a terminal would take for something else stays escaped, as does what is no UTF-8. */
function readPath(text: string): string {
  return text.replace(/(?:%[0-9A-F]{2})+/g, run => {
    const decoded = Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8');
    return /^[\p{L}\p{N}\p{P}\p{S} ]*$/u.test(decoded) && !decoded.includes('\ufffd') ? decoded : run;
  });
}
