/** A line of the log, in the fields of the journal. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { journalFields } from '../../../src/daemon/logger.ts';

test('each field of a line has a field of the journal, and the priority is that of syslog', () => {
  const line = { level: 30, time: 'now', user: 'web', uid: 61_184, messageId: 'ab', listenPath: '/x', msg: 'it began' };
  assert.deepEqual(journalFields({ ...line, applied: ['A', 'B'], none: null }), [
    ['PRIORITY', '6'],
    ['SYSLOG_IDENTIFIER', 'dynuserd'],
    ['DYNUSER_NAME', 'web'],
    ['DYNUSER_UID', '61184'],
    ['MESSAGE_ID', 'ab'],
    ['DYNUSER_LISTEN_PATH', '/x'],
    ['MESSAGE', 'it began'],
    ['DYNUSER_APPLIED', '["A","B"]'],
  ]);
  const priorities = [60, 50, 40, 30, 20].map(level => journalFields({ level, msg: 'x' })[0]?.[1]);
  assert.deepEqual(priorities, ['2', '3', '4', '6', '7']);
});

test('an error is part of the message, with its stack in a field', () => {
  const fields = new Map(
    journalFields({ level: 50, err: { type: 'Error', message: 'full', stack: 'at x' }, msg: 'cannot write' }),
  );
  assert.deepEqual(
    [fields.get('MESSAGE'), fields.get('DYNUSER_STACK'), fields.has('DYNUSER_ERR')],
    ['cannot write: full', 'at x', false],
  );
  const alone = journalFields({ level: 50, err: { message: 'full' } }).filter(([name]) => name === 'MESSAGE');
  assert.deepEqual(alone, [['MESSAGE', 'full']]);
});
