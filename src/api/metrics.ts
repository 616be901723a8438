/** io.systemd.Metrics: what the daemon has counted, for systemd-report(1) and dynuserctl. Everybody may ask: no name or UID is in it. */
import type { Family } from '../core/metrics.ts';
import { METRICS_SERVICE } from '../core/paths.ts';
import { expectedMore } from '../varlink/errors.ts';
import type { JsonObject } from '../varlink/json.ts';
import type { Call, InterfaceImplementation } from '../varlink/server.ts';
import { METRICS_INTERFACE } from './generated/io-systemd-metrics.ts';
import { sendAllButLast } from './long-replies.ts';

/** @param read gives the families as they are now; at least one, each with at least one sample */
export function metricsInterface<P>(read: () => readonly Family[]): InterfaceImplementation<P> {
  return {
    description: METRICS_INTERFACE,
    methods: {
      List: call =>
        answer(
          call,
          read().flatMap(({ name, samples }) =>
            samples.map(({ fields, value }): JsonObject => {
              return { name: qualified(name), value, ...(fields === undefined ? {} : { fields: { ...fields } }) };
            }),
          ),
        ),
      Describe: call =>
        answer(
          call,
          read().map(({ name, description, type }) => ({ name: qualified(name), description, type })),
        ),
    },
  };
}

/** The name of the service comes first, by which systemd-report(1) asks the right one. */
function qualified(name: string): string {
  return `${METRICS_SERVICE}.${name}`;
}

async function answer<P>(call: Call<P>, replies: readonly JsonObject[]): Promise<JsonObject> {
  if (!call.more) {
    throw expectedMore();
  }
  return (await sendAllButLast(call, replies)) ?? {};
}
