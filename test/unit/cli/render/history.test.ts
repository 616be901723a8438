/** Who had which UID, as a table. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderHistory } from '../../../../src/cli/render/history.ts';
import { chooseStyle } from '../../../../src/cli/render/table.ts';
import { localTime } from '../../../../src/cli/render/time.ts';

const LAYOUT = { legend: true, style: chooseStyle(false, {}) };
const ENTRY = { uid: 64_642, userName: 'web', unit: 'web.service', owner: 0, since: 1_000_000 };
const [SINCE, UNTIL] = [localTime(1_000_000), localTime(2_000_000)];

test('a user has its UID until it ends, until it is lost, or until nobody knows when', () => {
  const table = renderHistory(
    [
      ENTRY,
      { ...ENTRY, until: 2_000_000 },
      { ...ENTRY, until: 2_000_000, end: 'lost' },
      { ...ENTRY, until: 2_000_000, end: 'unseen' },
    ],
    LAYOUT,
  );
  assert.deepEqual(
    table.split('\n').map(line => line.replace(/ {2,}/g, ' | ').trim()),
    [
      `UID | NAME | UNIT | SINCE | UNTIL | BY`.replace(/^/, '| '),
      `64642 | web | web.service | ${SINCE} | now | 0`,
      `64642 | web | web.service | ${SINCE} | ${UNTIL} | 0`,
      `64642 | web | web.service | ${SINCE} | ${UNTIL} (lost) | 0`,
      `64642 | web | web.service | ${SINCE} | before ${UNTIL} | 0`,
      '',
      '4 users.',
      '',
    ],
  );
});

test('what the files say is printable, and nobody is a sentence', () => {
  assert.match(
    renderHistory([{ ...ENTRY, unit: '\x1b[2J' }], { ...LAYOUT, legend: false }),
    /^64642 {2}web {2}\\x1b\[2J/,
  );
  assert.equal(renderHistory([], LAYOUT), 'The history has no such user.\n');
  assert.equal(renderHistory([], { ...LAYOUT, legend: false }), '');
});
