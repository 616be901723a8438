/** A host of tables: what is not in them is not there. */
import type { CommandResult, FreeSpace, Host, Inode, Observed, Unreadable } from '../../../../src/cli/host.ts';

export interface FakeHost {
  /** its release; 6.1 unless given */
  readonly kernel?: string;
  readonly texts?: Readonly<Record<string, string | Unreadable>>;
  readonly inodes?: Readonly<Record<string, Partial<Inode> | Unreadable>>;
  readonly names?: Readonly<Record<string, readonly string[] | Unreadable>>;
  readonly links?: Readonly<Record<string, string | Unreadable>>;
  readonly freeSpaces?: Readonly<Record<string, Partial<FreeSpace> | Unreadable>>;
  readonly fileSystems?: Readonly<Record<string, number | Unreadable>>;
  /** by the words of the command line */
  readonly programs?: Readonly<Record<string, Observed<Partial<CommandResult>>>>;
}

const FREE_SPACE: FreeSpace = { bytes: 1 << 30, files: 10_000, isReadOnly: false };
const DIRECTORY: Inode = { kind: 'directory', uid: 0, gid: 0, mode: 0o755, device: 0n, inode: 1n };

export function fakeHost(fake: FakeHost): Host {
  return {
    text: path => fake.texts?.[path],
    inode: path => {
      const inode = fake.inodes?.[path];
      return inode === undefined || 'why' in inode ? inode : { ...DIRECTORY, ...inode };
    },
    link: path => fake.links?.[path],
    names: path => fake.names?.[path],
    fileSystem: path => fake.fileSystems?.[path],
    freeSpace: path => {
      const freeSpace = fake.freeSpaces?.[path];
      return freeSpace === undefined || 'why' in freeSpace ? freeSpace : { ...FREE_SPACE, ...freeSpace };
    },
    kernel: fake.kernel ?? '6.1.0-9-amd64',
    run: async argv => {
      const result = fake.programs?.[argv.join(' ')];
      return result === undefined || 'why' in result ? result : { status: 0, output: '', errors: '', ...result };
    },
  };
}
