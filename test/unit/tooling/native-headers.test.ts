/** The tables by which the launcher reads its plan, from an interface that has each case once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launchTables } from '../../../src/tooling/native-headers.ts';
import { parseInterface } from '../../../src/varlink/idl/parse.ts';

/** @param plan the fields of a launch plan */
function tables(plan: string, more = ''): string {
  const others = [
    'LaunchQuestion',
    'ResourceLimit',
    'LaunchCommand',
    'MountOp',
    'IdMap',
    'Stream',
    'Terminal',
    'MainProcess',
    'Credential',
    'OpenFile',
    'AccessRule',
    'Image',
    'ImagePart',
    'Overlay',
  ].map(name => `type ${name} (n: int)\n`);
  const text = `interface a.b\ntype Kind (oneWay, twoWays)\n${others.join('')}type LaunchPlan (${plan})\n${more}`;
  return launchTables('a.varlink', parseInterface(text));
}

/** @returns the rows of the plan's fields */
function rows(plan: string): readonly string[] {
  const [, table = ''] = tables(plan).split('#define LAUNCH_PLAN_FIELDS(REQUIRED, OPTIONAL, MARKED) \\\n\t');
  const [found = ''] = table.split(/(?<! \\)\n/);
  return found.split(' \\\n\t');
}

test('each field has its reader, and its absence a value or a mark', () => {
  assert.deepEqual(
    rows(
      'flag: bool, count: int, text: string, kind: Kind, map: IdMap, idMap: IdMap, words: []string, kinds: []Kind, maps: []IdMap, device: string, mode: (a, b)',
    ),
    [
      'REQUIRED("flag", flag, BOOLEAN)',
      'REQUIRED("count", count, NUMBER)',
      'REQUIRED("text", text, TEXT)',
      'REQUIRED("kind", kind, WORD(kind))',
      'REQUIRED("map", map, OBJECT(id_map))',
      'REQUIRED("idMap", map, OBJECT(id_map))',
      'REQUIRED("words", words, TEXTS)',
      'REQUIRED("kinds", kinds, FLAGS(kind))',
      'REQUIRED("maps", maps, LIST(maps, struct id_map))',
      'REQUIRED("device", device, DECIMAL)',
      'REQUIRED("mode", mode, WORD(launch_plan_mode))',
    ],
  );
  assert.deepEqual(
    rows(
      'flag: ?bool, count: ?int, text: ?string, kind: ?Kind, map: ?IdMap, words: ?[]string, kinds: ?[]Kind, maps: ?[]IdMap, boundingSet: ?string',
    ),
    [
      'OPTIONAL("flag", flag, BOOLEAN)',
      'MARKED("count", count, NUMBER)',
      'OPTIONAL("text", text, TEXT)',
      'OPTIONAL("kind", kind, WORD(kind))',
      'MARKED("map", map, OBJECT(id_map))',
      'MARKED("words", words, TEXTS)',
      'OPTIONAL("kinds", kinds, FLAGS(kind))',
      'OPTIONAL("maps", maps, LIST(maps, struct id_map))',
      'MARKED("boundingSet", bounding_set, MASK)',
    ],
  );
});

test('names are in the way of C, and the words of each enumeration come with its enumerators', () => {
  assert.deepEqual(rows('privateIPC: bool'), ['REQUIRED("privateIPC", private_ipc, BOOLEAN)']);
  const header = tables('mode: ?(a, b)');
  assert.ok(
    header.startsWith(
      '/* Generated from a.varlink by "npm run generate": change that, not this file. */\n/* clang-format off */\n#ifndef ',
    ),
  );
  assert.ok(
    header.includes(
      '#define kind_words "oneWay\\0" "twoWays\\0"\n#define KIND_ENUM(prefix) prefix##ONE_WAY, prefix##TWO_WAYS\n',
    ),
  );
  assert.ok(
    header.includes(
      '#define launch_plan_mode_words "a\\0" "b\\0"\n#define LAUNCH_PLAN_MODE_ENUM(prefix) prefix##A, prefix##B\n',
    ),
  );
  assert.ok(header.endsWith('\n#endif\n'));
});

test('what the launcher has no reader for is refused by its name', () => {
  for (const type of ['float', 'object', '[string]int', '(a: int)']) {
    assert.throws(() => tables(`odd: ${type}`), {
      name: 'TypeError',
      message: /^LaunchPlan\.odd: dynuser-run has no reader for a \w+$/,
    });
  }
  assert.throws(() => launchTables('a.varlink', parseInterface('interface a.b\ntype LaunchQuestion (a, b)\n')), {
    name: 'TypeError',
    message: 'LaunchQuestion is not a struct of a.b',
  });
});
