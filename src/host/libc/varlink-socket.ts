/**
 * The extended attribute by which tools tell sockets of varlink from others, and what each is for (UAPI.20, "Recognizing Varlink Socket
 * Inodes"). Since Linux 7.0 sockets can have it; elsewhere the kernel refuses it, and nothing is lost.
 */
import { AcceptSocket } from './accept.ts';
import { ForeignFunction } from './libc.ts';

const ATTRIBUTE = Buffer.from('user.varlink\0');
/** Of the path that a socket is bound to; of a listening socket itself; of one that was accepted from it. */
const ENTRY_POINT = Buffer.from('entrypoint');
const LISTEN = Buffer.from('listen');
const SERVER = Buffer.from('server');

/** @param path of a socket that is listened on; not followed if it is a symlink. Never throws */
export function markEntryPoint(path: string): void {
  try {
    const call = new ForeignFunction('lsetxattr', ['pointer', 'pointer', 'pointer', 'size_t', 'int32']);
    call.call(Buffer.from(`${path}\0`), ATTRIBUTE, ENTRY_POINT, ENTRY_POINT.length);
  } catch {
    // EPERM before Linux 7.0; ENOTSUP of a file system.
  }
}

/** Accepts connections of varlink: a listening socket and each that is accepted from it has its role as an attribute. */
export class AcceptVarlinkSocket extends AcceptSocket {
  readonly #set = new ForeignFunction('fsetxattr', ['int32', 'pointer', 'pointer', 'size_t', 'int32']);
  /** A kernel that refused the attribute of the listening socket is not asked again. */
  #hasAttributes = false;

  constructor() {
    super();
    // Laid out once: memory whose address is written stays for good.
    this.#set.lay(1, ATTRIBUTE);
  }

  override listens(listening: number): void {
    super.listens(listening);
    this.#set.lay(2, LISTEN, LISTEN.length);
    this.#hasAttributes = this.#mark(listening);
    this.#set.lay(2, SERVER, SERVER.length);
  }

  hasTaken(descriptor: number): void {
    if (this.#hasAttributes) {
      this.#mark(descriptor);
    }
  }

  #mark(descriptor: number): boolean {
    try {
      this.#set.call(descriptor);
      return true;
    } catch {
      return false;
    }
  }
}
