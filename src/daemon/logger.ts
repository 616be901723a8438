/**
 * The one pino import. Under systemd each line is an entry of the journal with fields; elsewhere it is a JSON object on standard
 * error, where every supervisor collects it. Neither makes the daemon wait: requests are answered however slow the log's disk is.
 */
import { type DestinationStream, pino } from 'pino';
import { type Journal, type JournalField, openJournal } from '../host/systemd/journal.ts';
import type { LogLevel } from './config.ts';

export type Logger = ReturnType<typeof createLogger>;

/** Lines that are not written yet, in bytes: those that come when there are so many are lost. */
const UNWRITTEN_BYTES_MAX = 1024 * 1024;

/** Priorities of syslog(3), which the journal has, by pino's levels. */
const PRIORITIES: ReadonlyMap<unknown, string> = new Map([
  [60, '2'],
  [50, '3'],
  [40, '4'],
  [30, '6'],
  [20, '7'],
]);

/** @param journalStream $JOURNAL_STREAM */
export function createLogger(level: LogLevel, journalStream?: string) {
  const journal = openJournal(journalStream);
  const usable = journal === undefined || 'reason' in journal ? undefined : journal;
  const destination = usable === undefined ? standardError() : journalDestination(usable);
  const logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
  if (journal !== undefined && 'reason' in journal) {
    logger.warn({ reason: journal.reason }, 'the journal cannot be used: the log is on standard error, without fields');
  }
  return logger;
}

/** What is not written when the process exits is written then. A log that cannot be written (EPIPE) is lost, and never a reason to stop. */
function standardError(): DestinationStream {
  const destination: DestinationStream & { on(event: 'error', listener: () => void): unknown } = pino.destination({
    dest: 2,
    sync: false,
    maxLength: UNWRITTEN_BYTES_MAX,
  });
  destination.on('error', () => undefined);
  return destination;
}

function journalDestination(journal: Pick<Journal, 'send' | 'takeLost'>): DestinationStream {
  return {
    write(line) {
      if (journal.send(journalFields(JSON.parse(line)))) {
        const lost = journal.takeLost();
        if (lost > 0) {
          const message = `${lost} entries of the log were lost: the journal had no room for them`;
          journal.send(journalFields({ level: 40, msg: message, lost }));
        }
      }
    },
  };
}

/** What pino makes of a line, and the fields of the journal that mean the same. */
const KNOWN_FIELDS: ReadonlyMap<string, string> = new Map([
  ['msg', 'MESSAGE'],
  ['messageId', 'MESSAGE_ID'],
  ['user', 'DYNUSER_NAME'],
]);

/** @returns the fields of systemd.journal-fields(7) for a line of the log, and one DYNUSER_… for each of its others */
export function journalFields(line: Readonly<Record<string, unknown>>): JournalField[] {
  // The journal notes the time itself.
  const { level, time, err, ...rest } = line;
  const fields: JournalField[] = [
    ['PRIORITY', PRIORITIES.get(level) ?? '6'],
    ['SYSLOG_IDENTIFIER', 'dynuserd'],
  ];
  const error = typeof err === 'object' && err !== null && 'message' in err ? err : undefined;
  // People read the message alone.
  const words = rest['msg'] === undefined ? '' : `${rest['msg']}: `;
  const others = error === undefined ? rest : { ...rest, msg: words + error.message };
  for (const [name, value] of Object.entries(others)) {
    if (value !== undefined && value !== null) {
      const known = KNOWN_FIELDS.get(name) ?? `DYNUSER_${name.replace(/[A-Z]/g, '_$&').toUpperCase()}`;
      fields.push([known, typeof value === 'string' ? value : JSON.stringify(value)]);
    }
  }
  if (error !== undefined) {
    fields.push(['DYNUSER_STACK', String('stack' in error ? error.stack : '')]);
  }
  return fields;
}
