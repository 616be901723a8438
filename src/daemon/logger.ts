/** The one pino import: one JSON object a line on standard error, where every supervisor collects it. */
import { type DestinationStream, pino } from 'pino';
import type { LogLevel } from './config.ts';

export type Logger = ReturnType<typeof createLogger>;

/**
 * Writes synchronously, so that the last words of a process that dies are there. A log that cannot be written (EPIPE, a
 * full disk) is lost, and never a reason to stop.
 */
export function createLogger(level: LogLevel) {
  const destination: DestinationStream & { on(event: 'error', listener: () => void): unknown } = pino.destination({
    dest: 2,
    sync: true,
  });
  destination.on('error', () => undefined);
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}
