/** dynuserctl explain UNIT */
import type { ExplainReply } from '../../api/generated/io-dynuser-allocator.ts';
import type { Handler } from '../commands.ts';
import { withDaemon } from '../daemon.ts';
import { layoutOf } from '../layout.ts';
import { ALLOCATION_TIMEOUT_MS } from '../limits.ts';
import { renderExplanation } from '../render/explanation.ts';
import { renderJson } from '../render/json.ts';
import { checkExplainReply } from '../replies.ts';
import { explainParameters } from '../request.ts';

/** The outcomes with which an acquire succeeds. */
const GRANTED: readonly ExplainReply['outcome'][] = ['allocate', 'join', 'static'];

export const explain: Handler = async (invocation, io) => {
  const reply = await withDaemon(io, daemon =>
    daemon.call('io.dynuser.Allocator.Explain', explainParameters(invocation), ALLOCATION_TIMEOUT_MS),
  );
  const explanation = checkExplainReply(reply);
  await io.output.write(
    invocation.json === 'off'
      ? renderExplanation(explanation, layoutOf(invocation, io))
      : renderJson(explanation, invocation.json),
  );
  return GRANTED.includes(explanation.outcome) ? 0 : 1;
};
