/** dynuserctl explain UNIT */
import type { Handler } from '../commands.ts';
import { withDaemon } from '../daemon.ts';
import { layoutOf } from '../layout.ts';
import { ALLOCATION_TIMEOUT_MS } from '../limits.ts';
import { renderExplanation } from '../render/explanation.ts';
import { renderJson } from '../render/json.ts';
import { checkExplainReply } from '../replies.ts';
import { requestParameters } from '../request.ts';

export const explain: Handler = async (invocation, surroundings) => {
  const reply = await withDaemon(surroundings, daemon =>
    daemon.call('io.dynuser.Allocator.Explain', requestParameters(invocation), ALLOCATION_TIMEOUT_MS),
  );
  const explanation = checkExplainReply(reply);
  await surroundings.output.write(
    invocation.json === 'off'
      ? renderExplanation(explanation, layoutOf(invocation, surroundings))
      : renderJson(explanation, invocation.json),
  );
  return 0;
};
