/** Files that a service is passed open (systemd.service(5), OpenFile=). */
import type { OpenFile } from '../../api/generated/io-dynuser-allocator.ts';
import { quote } from '../errors.ts';
import { OPEN_FILES_MAX } from '../limits.ts';
import { readPath, type ValueContext } from '../syntax/values.ts';
import { list } from './property.ts';
import { readDescriptorName } from './streams.ts';

const OPTIONS = ['read-only', 'append', 'truncate', 'graceful'] as const;

export const OPEN_FILES = {
  OpenFile: list((text, context) => [readOpenFile(text, context)], {
    manual:
      'PATH:NAME:OPTIONS: a file or socket that root opens, passed as LISTEN_FDS and LISTEN_FDNAMES; read-only, append, truncate, graceful (may fail).',
    plan: openFiles => (openFiles.length === 0 ? {} : { openFiles: [...openFiles].slice(0, OPEN_FILES_MAX) }),
  }),
};

/** As with systemd, without specifiers. */
function readOpenFile(text: string, { fail }: ValueContext): OpenFile {
  const [first = '', second = '', third = '', ...more] = text.split(':');
  const path = readPath(first, fail);
  const words = third === '' ? [] : third.split(',');
  const unknown = words.find(word => !OPTIONS.some(option => option === word));
  if (more.length > 0 || unknown !== undefined) {
    fail(`not a file to open: ${quote(text)}; use PATH:NAME:OPTIONS, with the options ${OPTIONS.join(', ')}`);
  }
  const has = (option: (typeof OPTIONS)[number]): boolean => words.includes(option);
  if (['read-only', 'append', 'truncate'].filter(option => words.includes(option)).length > 1) {
    fail(`options that exclude each other: ${quote(third)}; use one of read-only, append, truncate`);
  }
  return {
    path,
    name: readDescriptorName(second === '' ? path.slice(path.lastIndexOf('/') + 1) : second, fail),
    access: has('read-only') ? 'read' : 'both',
    append: has('append'),
    truncate: has('truncate'),
    optional: has('graceful'),
  };
}
