/** dynuserctl check UNIT…: would dynuser-run take these unit files? It asks no daemon, and runs nothing. */
import { resolve } from 'node:path';
import type { Handler } from '../command.ts';
import { lastValue } from '../command-line.ts';
import { judgeUnitFile } from '../judge-unit.ts';
import { print } from '../print.ts';
import { type CheckedUnit, renderChecks } from '../render/check.ts';

export const check: Handler = async (invocation, io) => {
  const instance = lastValue(invocation.options, 'instance');
  const checked = invocation.operands.map((unit): CheckedUnit => {
    const judgement = judgeUnitFile(resolve(unit), instance);
    return { unit, verdict: judgement.refused.length === 0 ? 'accepted' : 'refused', ...judgement };
  });
  await print(checked, invocation, io, renderChecks);
  return checked.every(({ verdict }) => verdict === 'accepted') ? 0 : 1;
};
