/** The sessions of docs/, one machine for each document; test/system/examples.test.ts has those of what is read first. */
import { describeSessions } from '../support/document-sessions.ts';
import { documentsWithSessions, READ_FIRST } from '../support/examples.ts';

for (const document of documentsWithSessions().filter(document => !READ_FIRST.includes(document))) {
  describeSessions(document);
}
