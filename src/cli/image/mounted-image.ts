/**
 * Opens the files of a disk image. dynuser-run mounts the image read-only for a child alone, as it does for services, and nothing is mounted on
 * the host. The child waits until the files are no longer needed.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { RootedTree } from '../../files/rooted-tree.ts';
import { CommandFailure } from '../failure.ts';
import { IMAGE_MOUNT_TIMEOUT_MS } from '../limits.ts';
import { printable } from '../render/text.ts';

/** Every host has it, and only the child sees the image there. */
const PLACE = '/tmp';
/** The descriptor of the image in the child: nobody can put another image in its place. */
const IMAGE_DESCRIPTOR = 3;
const MESSAGE_MAX = 4_096;
/** What the launcher says before its reason: of which property, and by which name it knows the image. */
const OF_LAUNCHER = /^dynuser-run: (?:MountImages=: )?(?:cannot use the image "[^"]*": )?/;

/** cat(1): it says that it runs by giving back what it reads, and ends when there is nothing more to read. */
type Child = ChildProcessByStdio<Writable, Readable, Readable>;

export class MountedImage implements Disposable {
  readonly tree: RootedTree;
  readonly #child: Child;

  private constructor(tree: RootedTree, child: Child) {
    this.tree = tree;
    this.#child = child;
  }

  /**
   * @param path of a regular file that nobody but root can change
   * @throws CommandFailure with the launcher's words if it cannot be mounted; NodeJS.ErrnoException
   */
  static async open(path: string): Promise<MountedImage> {
    // Only a file may be opened: to open a device could have effects.
    const image = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    let child: Child;
    try {
      if (!fstatSync(image).isFile()) {
        throw new CommandFailure(`${path}: it is no longer a regular file; nothing was changed`);
      }
      child = start(image);
    } finally {
      closeSync(image);
    }
    try {
      await untilItRuns(child, path);
      return new MountedImage(RootedTree.open(`/proc/${child.pid}/root${PLACE}`), child);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.tree[Symbol.dispose]();
    this.#child.kill('SIGKILL');
  }
}

function start(image: number): Child {
  const properties = ['DynamicUser=no', `MountImages=/proc/self/fd/${IMAGE_DESCRIPTOR}:${PLACE}:ro`];
  const argv = [...properties.flatMap(property => ['-p', property]), '--', 'cat'];
  return spawn('dynuser-run', argv, {
    stdio: ['pipe', 'pipe', 'pipe', image],
    timeout: IMAGE_MOUNT_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  }) as Child;
}

/** @throws CommandFailure if it ends instead */
function untilItRuns(child: Child, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let message = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      message = `${message}${text}`.slice(-MESSAGE_MAX);
    });
    child.stdout.once('data', () => resolve());
    child.on('error', error =>
      reject(new CommandFailure(`dynuser-run cannot be run: ${error.message}`, { cause: error })),
    );
    child.on('close', () => {
      const last = message.trim().split('\n').at(-1) ?? '';
      const words = last.replace(OF_LAUNCHER, '') || 'dynuser-run could not mount it';
      reject(new CommandFailure(`${path}: ${printable(words)}; nothing was changed`));
    });
    // EPIPE: how it ends tells more.
    child.stdin.on('error', () => {});
    child.stdin.write('\n');
  });
}
