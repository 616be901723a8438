/**
 * What is in disk images, as whoever made them wrote it: partitions, os-release, extension-release, and the policy for them. Parts of the input
 * are between lines of "--". What comes out is an error that names a field, or a plan: each part is one of those that were found, none
 * that the policy keeps, the root first; and an extension is only for the system that it names.
 */
import assert from 'node:assert/strict';
import type { Image, LaunchAnswer, LaunchPlan } from '../../../src/api/generated/io-dynuser-allocator.ts';
import { DynuserError } from '../../../src/core/errors.ts';
import { chooseParts, DIRECTORIES, FILE_SYSTEMS, readFound } from '../../../src/launch/images/partitions.ts';
import { planLaunch, resolveLaunch } from '../../../src/launch/launch.ts';
import type { LaunchRequest } from '../../../src/launch/plan/request.ts';
import { acquiredOf, answerOf, requestOf, type World } from '../../unit/launch/launches.ts';
import { outcomeOf, type Target } from './types.ts';

const ROUNDS_MAX = 12;
const ROOT = '/i/root.raw';
const EXTENSION = '/i/more_1.raw';
const SQUASHFS = ['0 - 0 0 4096 squashfs'];
const ARCHITECTURE = 'x86-64';

function launch(request: LaunchRequest, world: World): LaunchPlan {
  const answers: LaunchAnswer[] = [];
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const outcome = resolveLaunch(request, answers);
    if ('resolved' in outcome) {
      return planLaunch(outcome.resolved, acquiredOf());
    }
    assert.ok(outcome.questions.length > 0);
    answers.push(...outcome.questions.map(question => answerOf(question, world)));
  }
  return assert.fail('it asks without end');
}

function outcome(request: LaunchRequest, world: World): DynuserError | LaunchPlan {
  try {
    return launch(request, world);
  } catch (error) {
    assert.ok(error instanceof DynuserError, String(error instanceof Error ? error.stack : error));
    assert.ok(error.detail.field !== undefined && error.message !== '' && error.message.length < 2_000, error.message);
    return error;
  }
}

function checkImage({ parts }: Image, lines: readonly string[]): void {
  assert.equal(parts[0]?.directory, '/');
  const directories = parts.map(({ directory }) => directory);
  assert.equal(new Set(directories).size, directories.length);
  for (const { offset, size, type, directory, options } of parts) {
    assert.ok(Object.values(DIRECTORIES).includes(directory), directory);
    assert.ok(FILE_SYSTEMS.has(type) && !options.includes('rw'), type);
    const pattern = new RegExp(`^\\d+ \\S+ [0-9a-f]+ ${offset} ${size} ${type}(?: |$)`, 's');
    assert.ok(
      lines.some(line => pattern.test(line)),
      `${offset} ${size} ${type} is in no line`,
    );
  }
}

/** Whether a policy that was not refused keeps a part from being used, read in another way than the code does. */
function isKept(policy: string, designator: string): boolean {
  const rules = new Map(policy.split(':').map(rule => rule.split('=', 2) as [string, string | undefined]));
  const uses = policy === '*' ? 'open' : (rules.get(designator) ?? rules.get('') ?? 'absent');
  const words = uses.split('+').filter(word => word !== '' && !/^(?:read-only|growfs)-o(?:n|ff)$/.test(word));
  return !(words.length === 0 && uses !== '') && !words.some(word => word === 'open' || word === 'unprotected');
}

/** The last assignment of a name that is plain enough to be read without the code. */
function plainValue(text: string, name: string): string | undefined {
  const lines = text.split('\n').filter(line => line.startsWith(`${name}=`));
  return lines.length === 1 &&
    /^[A-Za-z0-9_]*$/.test(lines[0]?.slice(name.length + 1) ?? ' ') &&
    /^[\w=\n]*$/.test(text)
    ? lines[0]?.slice(name.length + 1)
    : undefined;
}

function tryParts(text: string): string {
  const lines = text.split('\n');
  const found = readFound(lines);
  assert.ok(found.length <= lines.length);
  for (const { number, kind, flags, offset, size } of found) {
    assert.ok(number >= 0 && kind === kind.toLowerCase() && flags >= 0n && BigInt(offset) >= 0n && BigInt(size) >= 0n);
  }
  const parts = chooseParts(found, ARCHITECTURE);
  if (typeof parts === 'string') {
    assert.notEqual(parts, '');
    return parts.slice(0, 60);
  }
  assert.equal(parts[0]?.designator, 'root');
  assert.ok(parts.every(part => found.includes(part.found)));
  return parts.map(({ designator }) => designator).join(' ');
}

export const images: Target = {
  name: 'images',
  pieces: [
    ...['\n--\n', '\n', ' ', '0 - 0 0 90000 -', '0 - 0 0 4096 squashfs', '0 - 0 0 4096 ext4', '0 - 0 0 4096 vfat'],
    ...[
      '1 4f68bce3-e8cd-4db1-96e7-fbcaf984b709 0 512 1024 ext4 root_1',
      '2 4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709 8000000000000000 512 2048 erofs root_2',
      '3 8484680c-9521-48c6-9c11-b0720656f69e 1000000000000000 4096 4096 squashfs usr',
      '4 933ac7e1-2eb4-4f13-b844-0e14e2aef915 0 9000 100 xfs _empty',
      '5 0fc63daf-8483-4772-8e79-3d69d8477de4 0 9000 100 btrfs',
      '6 mbr:83 80 512 512 ext4',
      '99999999999999999999999999 - 0 0 18446744073709551616 squashfs',
    ],
    ...[
      'root',
      'usr',
      'var',
      '=',
      ':',
      '+',
      '*',
      '-',
      '~',
      'open',
      'ignore',
      'unprotected',
      'absent',
      'unused',
      'verity',
    ],
    ...['signed', 'encrypted', 'read-only-on', 'growfs-off', 'root-verity', 'swap'],
    ...[
      'ID=',
      'ID=a',
      'ID=_any',
      'VERSION_ID=1',
      'VERSION_ID=',
      'SYSEXT_LEVEL=1',
      'ARCHITECTURE=x86-64',
      'ARCHITECTURE=arm64',
    ],
    ...['"', "'", '\\', '$', '\0', 'é', '__proto__'],
  ],
  bytesMax: 1_024,
  start: () => ({
    run(input) {
      const [policy = '', system = '', extension = '', ...rest] = input.toString('utf8').split('\n--\n');
      const table = rest.join('\n');
      const lines = table.split('\n');
      const world: World = {
        images: { [ROOT]: lines, [EXTENSION]: SQUASHFS },
        files: {
          '/proc/sys/kernel/arch': 'x86_64\n',
          ...Object.fromEntries(
            readFound(lines).map(({ offset }) => [`${ROOT}:${offset}:/etc/os-release`, system] as const),
          ),
          [`${EXTENSION}:0:/usr/lib/extension-release.d/extension-release.more_1`]: extension,
        },
        paths: { [`${EXTENSION}:0:/usr`]: ['exists', 'directory'] },
      };
      const properties = [`RootImage=${ROOT}`, `ExtensionImages=${EXTENSION}`, `RootImagePolicy=${policy}`];
      const request = requestOf(properties);
      const plan = outcome(request, world);
      const chosen = tryParts(table);
      if (plan instanceof DynuserError) {
        return `${outcomeOf(plan)} / ${chosen}`;
      }
      const [root, more] = plan.images ?? [];
      assert.ok(root !== undefined && more !== undefined && plan.images?.length === 2);
      checkImage(root, lines);
      checkImage(more, SQUASHFS);
      for (const { directory } of root.parts) {
        const designator = Object.entries(DIRECTORIES).find(([, path]) => path === directory)?.[0] ?? '';
        assert.ok(
          !/^[a-z*:=+~-]+$/.test(policy) || !isKept(policy, designator),
          `${policy} leaves ${designator} alone`,
        );
      }
      const [own, theirs] = [plainValue(extension, 'ID'), plainValue(system, 'ID')];
      assert.ok(own === undefined || theirs === undefined || own === theirs || own === '_any', `${own} for ${theirs}`);
      return `a plan: ${chosen}`;
    },
  }),
};
