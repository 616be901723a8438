/**
 * Who may connect to a socket besides its owner: connect(2) needs the right to write (unix(7)), and the kernel asks the file's access
 * ACL (acl(5)). So nobody else gets as far as the queue of connections that wait to be accepted.
 */
import type { Gid, Uid } from '../../core/ids.ts';
import { hostError, systemErrorCode } from '../host-error.ts';
import { ForeignFunction } from './libc.ts';

/** linux/posix_acl_xattr.h and linux/posix_acl.h: the value of the attribute is a version, then entries in the order of their tags. */
const ATTRIBUTE = Buffer.from('system.posix_acl_access\0');
const VERSION = 2;
const VERSION_BYTES = 4;
const ENTRY_BYTES = 8;
const USER_OBJECT = 0x01;
const USER = 0x02;
const GROUP_OBJECT = 0x04;
const GROUP = 0x08;
const MASK = 0x10;
const OTHER = 0x20;
const NO_ID = 0xffff_ffff;
const READ_WRITE = 6;
const NOTHING = 0;
/** Users and groups of one list. A value may have 64 KiB (xattr(7)). */
export const ACCESS_ENTRIES_MAX = 4_000;

type Entry = readonly [tag: number, permissions: number, id?: number];

/**
 * Lets these connect and nobody else but the owner, whatever was there before.
 * @param path of the socket; not followed if it is a symlink
 * @throws DynuserError HostFailed if the file system knows no ACLs, or there are more than ACCESS_ENTRIES_MAX
 */
export function letConnect(path: string, users: Iterable<Uid>, groups: Iterable<Gid>): void {
  const named: Entry[] = [
    ...Array.from(users, uid => [USER, READ_WRITE, uid] as const),
    [GROUP_OBJECT, NOTHING],
    ...Array.from(groups, gid => [GROUP, READ_WRITE, gid] as const),
  ];
  // Without a named entry it is a mode, 0600, and the kernel keeps no ACL.
  const mask: Entry[] = named.length > 1 ? [[MASK, READ_WRITE]] : [];
  const entries: Entry[] = [[USER_OBJECT, READ_WRITE], ...named, ...mask, [OTHER, NOTHING]];
  try {
    if (entries.length > ACCESS_ENTRIES_MAX) {
      throw new Error(`${entries.length} users and groups, more than ${ACCESS_ENTRIES_MAX}`);
    }
    const value = encode(entries);
    const call = new ForeignFunction('lsetxattr', ['pointer', 'pointer', 'pointer', 'size_t', 'int32']);
    call.call(Buffer.from(`${path}\0`), ATTRIBUTE, value, value.length);
  } catch (error) {
    // What the kernel calls EOPNOTSUPP; both have one number, and Node has this name for it.
    if (mask.length === 0 && systemErrorCode(error) === 'ENOTSUP') {
      // A file system without ACLs has none that would let others in.
      return;
    }
    throw hostError(error, `cannot say who may connect to ${path}`);
  }
}

function encode(entries: readonly Entry[]): Buffer {
  const value = Buffer.alloc(VERSION_BYTES + entries.length * ENTRY_BYTES);
  value.writeUInt32LE(VERSION, 0);
  for (const [index, [tag, permissions, id = NO_ID]] of entries.entries()) {
    const offset = VERSION_BYTES + index * ENTRY_BYTES;
    value.writeUInt16LE(tag, offset);
    value.writeUInt16LE(permissions, offset + 2);
    value.writeUInt32LE(id, offset + 4);
  }
  return value;
}
