/** The server of the certification: holds each client to the order of the steps, and each request to the letter. */
import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { VarlinkError } from '../../../../src/varlink/errors.ts';
import type { JsonObject } from '../../../../src/varlink/json.ts';
import type { Call, InterfaceImplementation, MethodHandler } from '../../../../src/varlink/server.ts';
import { CERTIFICATION, CERTIFICATION_INTERFACE, STEPS, type Step } from './steps.ts';

/** @param steps other than STEPS for a server that does something wrong */
export function certifier<P>(steps: readonly Step[] = STEPS): InterfaceImplementation<P> {
  /** the number of the step that each client has to take next */
  const turns = new Map<string, number>();
  const methods: Record<string, MethodHandler<P>> = {
    Start: () => {
      const id = randomBytes(16).toString('hex');
      turns.set(id, 0);
      return { client_id: id };
    },
  };
  for (const [turn, step] of steps.entries()) {
    methods[step.name] = call => {
      const id = String(call.parameters['client_id']);
      if (turns.get(id) !== turn) {
        throw new VarlinkError(`${CERTIFICATION}.ClientIdError`);
      }
      compare(call, step, id);
      turns.set(id, turn + 1);
      return answer(call, step);
    };
  }
  return { description: CERTIFICATION_INTERFACE, methods };
}

function compare<P>(call: Call<P>, step: Step, id: string): void {
  const wants: JsonObject = {
    method: `${CERTIFICATION}.${step.name}`,
    parameters: { client_id: id, ...step.parameters },
    more: step.mode === 'more',
    oneway: step.mode === 'oneway',
  };
  const { method, parameters, more, oneway } = call;
  const got: JsonObject = { method, parameters, more, oneway };
  if (!isDeepStrictEqual(wants, got)) {
    throw new VarlinkError(`${CERTIFICATION}.CertificationError`, { wants, got });
  }
}

function answer<P>(call: Call<P>, { replies }: Step): JsonObject {
  for (const reply of replies.slice(0, -1)) {
    call.send(reply);
  }
  return replies.at(-1) ?? {};
}
