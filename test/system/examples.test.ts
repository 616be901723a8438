/** The sessions of what everybody reads first; those of the other documents are in test/stress. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { describeSessions } from '../support/document-sessions.ts';
import { documentsWithSessions, READ_FIRST } from '../support/examples.ts';

for (const document of READ_FIRST) {
  describeSessions(document);
}

it('all of them have sessions', () => {
  const documents = documentsWithSessions();
  assert.deepEqual(
    READ_FIRST.filter(document => !documents.includes(document)),
    [],
  );
});
