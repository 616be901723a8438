/** dynuserctl explain UNIT */
import type { ExplainReply } from '../../api/generated/io-dynuser-allocator.ts';
import type { Handler } from '../command.ts';
import { ALLOCATION_TIMEOUT_MS } from '../limits.ts';
import { print } from '../print.ts';
import { renderExplanation } from '../render/explanation.ts';
import { explainParameters } from '../request.ts';
import { withClient } from '../with-client.ts';

/** The outcomes with which an acquire succeeds. */
const GRANTED: readonly ExplainReply['outcome'][] = ['allocate', 'join', 'static'];

export const explain: Handler = async (invocation, io) => {
  const explanation = await withClient(io, client =>
    client.explain(explainParameters(invocation), { timeoutMs: ALLOCATION_TIMEOUT_MS }),
  );
  await print(explanation, invocation, io, renderExplanation);
  return GRANTED.includes(explanation.outcome) ? 0 : 1;
};
