/** dynuserctl watch: a line for each event, until the operator, the reader of the output or the daemon ends it. */
import type { Handler } from '../command.ts';
import { CommandFailure } from '../failure.ts';
import { layoutOf } from '../print.ts';
import { eventTime, renderEvent, renderEventTitles } from '../render/event.ts';
import { renderJson } from '../render/json.ts';
import { withClient } from '../with-client.ts';

export const watch: Handler = async (invocation, io) => {
  const { output, now } = io;
  const { json } = invocation;
  const layout = layoutOf(invocation, io);
  using interruption = io.listenForInterruption();
  const stopped = (): boolean => interruption.signal.aborted || output.broken.aborted;
  try {
    await withClient(io, async client => {
      if (json === 'off' && layout.legend) {
        await output.write(renderEventTitles(layout.style));
      }
      for await (const event of client.watch({ signal: interruption.signal })) {
        const time = eventTime(event, now());
        await output.write(
          json === 'off' ? renderEvent(event, time, output.terminal?.columns) : renderJson({ time, ...event }, json),
        );
        if (stopped()) {
          return;
        }
      }
      throw new CommandFailure(
        'the daemon ended the stream: it is stopping, or this output was read too slowly; watch again',
      );
    });
  } catch (error) {
    if (!stopped()) {
      throw error;
    }
  }
  return 0;
};
