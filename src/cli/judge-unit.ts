/** Judges whether dynuser-run would take a unit file. It asks only the files of this host, or what stands in for them. */
import type { LaunchQuestion } from '../api/generated/io-dynuser-allocator.ts';
import { type DirectoryPlace, findDirectories, type Judgement, judgeLaunch } from '../launch/launch.ts';
import { answerQuestion } from './launch-answers.ts';

type Request = Parameters<typeof judgeLaunch>[0];
type Answer = Parameters<typeof judgeLaunch>[1][number];

/** Of a template that nobody gives an instance. */
const INSTANCE = 'instance';

/** @param unitFile an absolute path. @param answer of what the launcher would ask its surroundings */
export function judgeUnitFile(unitFile: string, named: string | undefined, answer = answerQuestion): Judgement {
  return untilAnswered(unitFile, named, answer, (request, answers) => {
    const outcome = judgeLaunch(request, answers);
    return 'judgement' in outcome ? { found: outcome.judgement } : outcome;
  });
}

/** @returns where the service of a unit file has directories. @throws DynuserError if no launch could take it */
export function directoriesOfUnitFile(unitFile: string, named: string | undefined): readonly DirectoryPlace[] {
  return untilAnswered(unitFile, named, answerQuestion, (request, answers) => {
    const outcome = findDirectories(request, answers);
    return 'places' in outcome ? { found: outcome.places } : outcome;
  });
}

function untilAnswered<Found>(
  unitFile: string,
  named: string | undefined,
  answer: typeof answerQuestion,
  ask: (request: Request, answers: readonly Answer[]) => { found: Found } | { questions: readonly LaunchQuestion[] },
): Found {
  const instance = unitFile.endsWith('@.service') ? (named ?? INSTANCE) : undefined;
  const request: Request = { unitFile, mayMount: true, ...(instance === undefined ? {} : { instance }) };
  const answers: Answer[] = [];
  for (;;) {
    const outcome = ask(request, answers);
    if ('found' in outcome) {
      return outcome.found;
    }
    answers.push(...outcome.questions.map(question => answer(question)));
  }
}
