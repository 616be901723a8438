/** Turns a preparation that calls back while the directories are locked into one that the caller ends by its scope. */
import type { DirectoriesOfLease, PreparedDirectories } from '../../allocator/directory-ports.ts';

type Decision = 'publish' | undefined;

/** @param prepare holds the locks until what it called back resolves, and publishes unless that is undefined */
export async function prepareScoped(
  prepare: (commit: (prepared: DirectoriesOfLease) => Promise<Decision>) => Promise<unknown>,
): Promise<PreparedDirectories> {
  let decide: (decision: Decision) => void = () => undefined;
  const decision = new Promise<Decision>(resolve => {
    decide = resolve;
  });
  return new Promise((resolve, reject) => {
    const ended = prepare(({ directories, environment }) => {
      resolve({
        directories,
        environment,
        commit: () => undefined,
        async publish() {
          decide('publish');
          await ended;
        },
        async [Symbol.asyncDispose]() {
          decide(undefined);
          // What publish() failed with was thrown by it.
          await ended.catch(() => undefined);
        },
      });
      return decision;
    });
    ended.catch(reject);
  });
}
