import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderJson } from '../../../../src/cli/render/json.ts';

test('short is one line, pretty is indented', () => {
  assert.equal(renderJson([{ uid: 1 }], 'short'), '[{"uid":1}]\n');
  assert.equal(renderJson([{ uid: 1 }], 'pretty'), '[\n  {\n    "uid": 1\n  }\n]\n');
});

test('JSON drives no terminal either, and says the same', () => {
  const value = { unit: '\x1b[2J\n\x7f\u009b\u202e\u{e0041} Müller 😀' };
  for (const mode of ['short', 'pretty'] as const) {
    const text = renderJson(value, mode);
    assert.match(text, /"\\u001b\[2J\\n\\u007f\\u009b\\u202e\\udb40\\udc41 Müller 😀"/);
    assert.deepEqual(JSON.parse(text), value);
  }
});

test('an integer that a double cannot hold keeps its digits', () => {
  assert.equal(renderJson({ held: 2n ** 63n }, 'short'), '{"held":"9223372036854775808"}\n');
});
