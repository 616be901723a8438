/** The metrics of the daemon, as its interface has them: each family with its values. */
import { type DescribeReply, type ListReply, METRICS_INTERFACE } from '../api/generated/io-systemd-metrics.ts';
import { toDynuserError } from '../client/errors.ts';
import { METRICS_SERVICE } from '../core/paths.ts';
import { ClientInterfaces, connectToFirst } from '../varlink/client.ts';
import { SERVICE_DESCRIPTION } from '../varlink/service-description.ts';
import { CommandFailure } from './failure.ts';
import { METRICS_MAX, REPLY_TIMEOUT_MS } from './limits.ts';

const INTERFACES = new ClientInterfaces([METRICS_INTERFACE, SERVICE_DESCRIPTION], 'drop');

export interface MetricFamily {
  /** without the name of the service */
  readonly name: string;
  readonly description: string;
  readonly type: DescribeReply['type'];
  readonly samples: readonly { readonly value: number; readonly fields: Readonly<Record<string, string>> }[];
}

/** @param sockets the daemon's, in the order of preference. @throws DynuserError, CommandFailure */
export async function readMetrics(sockets: readonly string[]): Promise<MetricFamily[]> {
  try {
    const client = await connectToFirst(sockets, { timeoutMs: REPLY_TIMEOUT_MS, interfaces: INTERFACES });
    try {
      const described = await all<DescribeReply>(client.stream('io.systemd.Metrics.Describe'));
      const listed = await all<ListReply>(client.stream('io.systemd.Metrics.List'));
      return described.map(({ name, ...family }) => ({
        ...family,
        name: name.startsWith(`${METRICS_SERVICE}.`) ? name.slice(METRICS_SERVICE.length + 1) : name,
        samples: listed.filter(sample => sample.name === name).map(toSample),
      }));
    } finally {
      client.close();
    }
  } catch (error) {
    throw toDynuserError(error);
  }
}

async function all<Reply>(replies: AsyncIterable<unknown>): Promise<Reply[]> {
  const read: Reply[] = [];
  for await (const reply of replies) {
    // The connection has checked it against the interface.
    read.push(reply as Reply);
    if (read.length > METRICS_MAX) {
      throw new CommandFailure(`the daemon has more than ${METRICS_MAX} metrics: that cannot be right`);
    }
  }
  return read;
}

function toSample({ value, fields }: ListReply): MetricFamily['samples'][number] {
  const texts = Object.entries(fields ?? {}).map(([name, field]) => [name, String(field)] as const);
  return { value: Number(value), fields: Object.fromEntries(texts) };
}
