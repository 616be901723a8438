/** dynuserctl watch: a line for each event, until the operator, the reader of the output or the daemon ends it. */
import type { Handler } from '../commands.ts';
import { withDaemon } from '../daemon.ts';
import { CommandFailure } from '../failure.ts';
import { layoutOf } from '../layout.ts';
import { REPLY_TIMEOUT_MS } from '../limits.ts';
import { eventTime, renderEvent, renderEventTitles } from '../render/event.ts';
import { renderJson } from '../render/json.ts';
import { checkWatchReply } from '../replies.ts';

export const watch: Handler = async (invocation, io) => {
  const { output, now } = io;
  const { json } = invocation;
  const layout = layoutOf(invocation, io);
  const interruption = io.listenForInterruption();
  const stopped = (): boolean => interruption.signal.aborted || output.broken.aborted;
  try {
    await withDaemon(io, async daemon => {
      interruption.signal.addEventListener('abort', daemon.close, { once: true });
      if (json === 'off' && layout.legend) {
        await output.write(renderEventTitles(layout.style));
      }
      let ready = false;
      const wait = (): number | 'unbounded' => (ready ? 'unbounded' : REPLY_TIMEOUT_MS);
      for await (const reply of daemon.stream('io.dynuser.Allocator.Watch', {}, wait)) {
        const event = checkWatchReply(reply);
        ready ||= event.event === 'ready';
        const time = eventTime(event, now());
        await output.write(
          json === 'off' ? renderEvent(event, time, output.terminal?.columns) : renderJson({ time, ...event }, json),
        );
        if (stopped()) {
          return;
        }
      }
      throw new CommandFailure('the daemon ended the stream: it stops, or this output was read too slowly');
    });
  } catch (error) {
    // Closing the connection is how an interruption ends the stream: what that looks like from inside is no failure.
    if (!stopped()) {
      throw error;
    }
  } finally {
    interruption.dispose();
  }
  return 0;
};
