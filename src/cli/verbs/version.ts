/** dynuserctl version: the same as --version. */
import { COMMIT, VERSION, versionWords } from '../../core/version.ts';
import type { Handler } from '../command.ts';
import { print } from '../print.ts';

export const version: Handler = async (invocation, io) => {
  const about = { program: 'dynuserctl', version: VERSION, ...(COMMIT === undefined ? {} : { commit: COMMIT }) };
  await print(about, invocation, io, () => `dynuserctl ${versionWords()}\n`);
  return 0;
};
