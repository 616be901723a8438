import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderExplanation } from '../../../../src/cli/render/explanation.ts';
import { chooseStyle } from '../../../../src/cli/render/table.ts';

const layout = { legend: true, style: chooseStyle(false, {}) };

test('the outcome comes first, the candidates last', () => {
  const text = renderExplanation(
    {
      userName: 'a',
      nameOrigin: 'the name of the unit a.service',
      outcome: 'allocate',
      reason: 'the UID 61185 is free',
      uid: 61185,
      gid: 61185,
      candidates: [
        { uid: 63801, origin: 'preferred', free: false, finding: 'the user \x1b[1mbob has this number' },
        { uid: 61185, origin: 'sweep', free: true, finding: 'free' },
      ],
      handovers: [],
    },
    layout,
  );
  assert.equal(
    text,
    [
      'Outcome: allocate: the UID 61185 is free',
      '    UID: 61185',
      '   Name: a',
      ' Origin: the name of the unit a.service',
      '',
      '  UID  ORIGIN     FINDING',
      '63801  preferred  the user \\x1b[1mbob has this number',
      '61185  sweep      free',
      '',
    ].join('\n'),
  );
});

test('a static user shows the GID where it is another number; a conflict has neither', () => {
  const head = { userName: 'a', nameOrigin: 'given', reason: 'r', candidates: [], handovers: [] };
  assert.equal(
    renderExplanation({ ...head, outcome: 'static', uid: 1000, gid: 100 }, layout),
    'Outcome: static: r\n    UID: 1000\n    GID: 100\n   Name: a\n Origin: given\n',
  );
  assert.equal(
    renderExplanation({ ...head, outcome: 'conflict' }, layout),
    'Outcome: conflict: r\n    UID: -\n   Name: a\n Origin: given\n',
  );
});

test('what the fleet says of the name stands with the outcome', () => {
  const head = {
    userName: 'a',
    nameOrigin: 'given',
    reason: 'r',
    candidates: [],
    handovers: [],
    outcome: 'refused',
  } as const;
  assert.equal(
    renderExplanation({ ...head, fleet: { outcome: 'bound', uid: 70_000, reason: 'b\x1b' } }, layout),
    'Outcome: refused: r\n    UID: -\n  Fleet: bound (70000): b\\x1b\n   Name: a\n Origin: given\n',
  );
  assert.match(
    renderExplanation({ ...head, fleet: { outcome: 'free', reason: 'none' } }, layout),
    /^ +Fleet: free: none$/m,
  );
});

test('what would become of the directories comes after the candidates, or alone', () => {
  const handover = {
    kind: 'state',
    publicPath: '/a',
    handover: 'none',
    inodes: 0,
    changes: 1,
    counted: 'all',
  } as const;
  const candidate = { uid: 61185, origin: 'sweep', free: true, finding: 'free' } as const;
  const explanation = {
    userName: 'a',
    nameOrigin: 'given',
    outcome: 'allocate',
    reason: 'r',
    candidates: [candidate],
    handovers: [handover],
  } as const;
  const table = 'DIRECTORY  HANDOVER  OWNER  INODES  CHANGES\n/a         none          -       0        1\n';
  const text = renderExplanation(explanation, layout);
  assert.ok(text.endsWith(`\n\n  UID  ORIGIN  FINDING\n61185  sweep   free\n\n${table}`), text);
  assert.ok(renderExplanation({ ...explanation, candidates: [] }, layout).endsWith(`Origin: given\n\n${table}`));
});
