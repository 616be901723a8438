/** A peer that sends whatever bytes a test likes, and shows whatever bytes came back. */
import { createConnection, type Socket } from 'node:net';

const PATIENCE_MS = 10_000;

export class RawPeer {
  readonly #socket: Socket;
  #received = '';
  #isClosed = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      this.#received += text;
      this.#wake();
    });
    // How a connection ended is not what tests ask; that it did is.
    socket.on('error', () => {});
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.#isClosed = true;
        this.#wake();
      });
    }
  }

  static connect(path: string): Promise<RawPeer> {
    return new Promise((resolve, reject) => {
      const socket = createConnection({ path, allowHalfOpen: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RawPeer(socket));
      });
    });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** what has come and was not yet taken by frame() */
  get received(): string {
    return this.#received;
  }

  /** @returns whether the kernel took all of it */
  send(bytes: string | Buffer): boolean {
    return this.#socket.write(bytes);
  }

  /** Sends a request without parameters that need quoting. @returns its reply, with the NUL */
  call(method: string, parameters = '{}'): Promise<string> {
    this.send(`{"method":"${method}","parameters":${parameters}}\0`);
    return this.frame();
  }

  /** @returns the next reply, with its NUL */
  async frame(): Promise<string> {
    await this.#until(() => this.#received.includes('\0') || this.#isClosed, 'a reply');
    const end = this.#received.indexOf('\0') + 1;
    if (end === 0) {
      throw new Error('the connection was closed before a reply');
    }
    const frame = this.#received.slice(0, end);
    this.#received = this.#received.slice(end);
    return frame;
  }

  /** @returns all that came until the server closed */
  async rest(): Promise<string> {
    await this.#until(() => this.#isClosed, 'the end of the connection');
    return this.#received;
  }

  /** Sends no more, and still reads. */
  halfClose(): void {
    this.#socket.end();
  }

  stopReading(): void {
    this.#socket.pause();
  }

  startReading(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.destroy();
  }

  async #until(condition: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    while (!condition()) {
      if (Date.now() > deadline) {
        throw new Error(
          `${what} did not come within ${PATIENCE_MS} ms; so far: ${JSON.stringify(this.#received.slice(0, 500))}`,
        );
      }
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, 100);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}

/** Waits until something is so. @throws Error where that takes too long */
