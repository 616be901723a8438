/** A host of tables: what is not in them is not there. */
import type { Hidden, Host, Inode, Ran, Room, Seen } from '../../../../src/cli/doctor/host.ts';

export interface FakeHost {
  readonly texts?: Readonly<Record<string, string | Hidden>>;
  readonly inodes?: Readonly<Record<string, Partial<Inode> | Hidden>>;
  readonly names?: Readonly<Record<string, readonly string[] | Hidden>>;
  readonly links?: Readonly<Record<string, string | Hidden>>;
  readonly rooms?: Readonly<Record<string, Partial<Room> | Hidden>>;
  readonly fileSystems?: Readonly<Record<string, number>>;
  /** by the words of the command line */
  readonly programs?: Readonly<Record<string, Seen<Partial<Ran>>>>;
}

const ROOM: Room = { bytes: 1 << 30, files: 10_000, isReadOnly: false };
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
    room: path => {
      const room = fake.rooms?.[path];
      return room === undefined || 'why' in room ? room : { ...ROOM, ...room };
    },
    kernel: '6.1.0-9-amd64',
    run: async argv => {
      const ran = fake.programs?.[argv.join(' ')];
      return ran === undefined || 'why' in ran ? ran : { status: 0, output: '', errors: '', ...ran };
    },
  };
}
