/** The actions of commands whose first operand names one: what each takes, and how a command line is checked against that. */
import { type ActionSpec, type Actions, type Invocation, isOptional, mayRepeat } from './command.ts';
import { usageFailure } from './failure.ts';
import { printable } from './render/text.ts';

export const FLEET_ACTIONS = {
  create: { operands: [], options: ['range'] },
  join: { operands: [], options: [] },
  leave: { operands: [], options: [] },
  hosts: { operands: [], options: [] },
  names: { operands: ['[NAME...]'], options: [] },
  explain: { operands: ['NAME'], options: [] },
  forget: { operands: ['NAME'], options: [] },
  'forget-host': { operands: ['HOST'], options: ['powered-off'] },
  gc: { operands: ['[NAME]'], options: [] },
  check: { operands: [], options: [] },
  doctor: { operands: [], options: [] },
  resume: { operands: [], options: [] },
  'free-directory': { operands: ['STORAGE', 'PATH'], options: [] },
} as const satisfies Actions;

export const IMAGE_ACTIONS = {
  inspect: { operands: ['IMAGE', '[PREFIX...]'], options: ['extension', 'manager', 'profile', 'instance', 'cat'] },
  attach: {
    operands: ['IMAGE', '[PREFIX...]'],
    options: ['extension', 'manager', 'profile', 'instance', 'runtime', 'enable', 'now', 'no-reload', 'force'],
  },
  reattach: {
    operands: ['IMAGE', '[PREFIX...]'],
    options: ['extension', 'profile', 'instance', 'runtime', 'enable', 'now', 'no-reload', 'force'],
  },
  detach: { operands: ['IMAGE'], options: ['extension', 'runtime', 'now', 'no-reload', 'clean', 'force'] },
  'is-attached': { operands: ['IMAGE'], options: ['extension', 'runtime'] },
  list: { operands: [], options: [] },
} as const satisfies Actions;

/**
 * @param verb the command, of which these are the actions
 * @returns the action that a command line names, and its operands
 * @throws CommandFailure with status 2, if it names none, or takes other operands or options
 */
export function chooseAction<Word extends string>(
  verb: string,
  actions: Readonly<Record<Word, ActionSpec>>,
  { operands: [named = '', ...operands], options }: Pick<Invocation, 'operands' | 'options'>,
): { readonly action: Word; readonly operands: readonly string[] } {
  const words = Object.keys(actions) as Word[];
  const action = words.find(word => word === named);
  if (action === undefined) {
    throw usageFailure(`${verb} takes ${words.join(', ')}, not '${printable(named)}'`, verb);
  }
  const { operands: wanted, options: own } = actions[action];
  const others = words.flatMap(word => actions[word].options);
  const extra = others.find(name => options.has(name) && !own.includes(name));
  if (extra !== undefined) {
    throw usageFailure(`${verb} ${action} takes no --${extra}`, verb);
  }
  checkOperands(`${verb} ${action}`, wanted, operands, verb);
  return { action, operands };
}

/**
 * @param what a command, or an action of one
 * @param hint is added to the error about an operand too many
 * @throws CommandFailure with status 2
 */
export function checkOperands(
  what: string,
  wanted: readonly string[],
  operands: readonly string[],
  verb: string,
  hint: (extra: string) => string = () => '',
): void {
  const missing = wanted[operands.length];
  if (missing !== undefined && !isOptional(missing)) {
    throw usageFailure(`${what} needs ${missing}`, verb);
  }
  const extra = mayRepeat(wanted.at(-1)) ? undefined : operands[wanted.length];
  if (extra !== undefined) {
    throw usageFailure(`${what} takes no further argument '${printable(extra)}'${hint(extra)}`, verb);
  }
}
