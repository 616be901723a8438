/**
 * Completions of dynuserctl for three shells, made from the table of commands. They get names of users from the daemon, those of a fleet from
 * the snapshot of this host, and its hosts from the companion; one that does not answer offers nothing. Pure.
 */
import type { Actions, CommandSpec, CommandTable, OptionSpec } from '../cli/command.ts';

/** Names alone that mean nothing to a shell: bash expands what it is given to choose from. */
const LIVE_NAMES =
  "dynuserctl list --no-legend 2>/dev/null | awk '$2 ~ /^[A-Za-z0-9_.-]+$/ && !seen[$2]++ { print $2 }'";

/** Names of all users of the fleet, and of its hosts, in the same way. */
const FLEET_NAMES = "dynuserctl list --fleet --no-legend 2>/dev/null | awk '$2 ~ /^[A-Za-z0-9_.-]+$/ { print $2 }'";
const FLEET_HOSTS =
  "dynuserctl fleet hosts --no-legend 2>/dev/null | awk '$1 ~ /^[A-Za-z0-9_.-]+$/ && !seen[$1]++ { print $1 }'";

/** What the operands of actions are completed to, by their placeholders. */
const OPERANDS = [
  { operand: 'NAME', kind: 'names' },
  { operand: 'HOST', kind: 'hosts' },
  { operand: 'IMAGE', kind: 'files' },
] as const;

/** @returns the actions of a command whose first operand is that one */
function actionsWith(actions: Actions, operand: string): string[] {
  return Object.entries(actions)
    .filter(([, { operands }]) => operands[0]?.replace(/^\[|\.{3}|\]$/g, '') === operand)
    .map(([word]) => word);
}

/** @returns the command's actions by what they are completed to, those alone that are completed */
function completedActions(
  actions: Actions,
): { readonly words: string[]; readonly kind: (typeof OPERANDS)[number]['kind'] }[] {
  return OPERANDS.map(({ operand, kind }) => ({ words: actionsWith(actions, operand), kind })).filter(
    ({ words }) => words.length > 0,
  );
}

/** @returns commands that have actions, with these */
function withActions(commands: readonly CommandSpec[]): { readonly verb: string; readonly actions: Actions }[] {
  return commands.flatMap(({ verb, actions }) => (actions === undefined ? [] : [{ verb, actions }]));
}

/** Whether an operand is a user that lives. */
function namesUser(command: CommandSpec): boolean {
  return command.operands.some(operand => operand.split('|').includes('NAME'));
}

function words(options: readonly OptionSpec[]): string {
  return options.map(({ name, value }) => (value === undefined ? `--${name}` : `--${name}=`)).join(' ');
}

/** bash(1), Programmable Completion. "=" splits words there, so "--json=sh" is three of them. */
export function bashCompletion({ commands, options }: CommandTable): string {
  const all = [...options, ...commands.flatMap(command => command.options)];
  const choices = all.flatMap(({ name, choices: values }) =>
    values === undefined ? [] : [`\t--${name}) words='${values.join(' ')}' ;;`],
  );
  const paths = all.filter(({ isPath }) => isPath).map(({ name }) => `\t--${name}) files=yes ;;`);
  // In "--json short" the second word is not a command.
  const withValue = all.filter(({ value }) => value !== undefined).map(({ name }) => `--${name}`);
  const valued = [...new Set(withValue)].join('|');
  const lookups = { names: `words=$(${FLEET_NAMES})`, hosts: `words=$(${FLEET_HOSTS})`, files: 'files=yes' };
  const actionCases = withActions(commands).flatMap(({ verb, actions }) => [
    `\t\t${verb}::*) words='${Object.keys(actions).join(' ')}' ;;`,
    ...completedActions(actions).map(
      ({ words: some, kind }) => `\t\t${some.map(word => `${verb}:${word}:*`).join('|')}) ${lookups[kind]} ;;`,
    ),
  ]);
  return `# Completion of dynuserctl for bash.
_dynuserctl() {
	local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} verb= action= words= option= files= i
	for ((i = 1; i < COMP_CWORD; i++)); do
		case \${COMP_WORDS[i]} in
		${valued})
			# Its value is the next word, or the one behind the "=".
			[[ \${COMP_WORDS[i+1]} == = ]] && ((i++))
			((i++))
			;;
		-*) ;;
		*)
			if [[ -n $verb ]]; then
				action=\${COMP_WORDS[i]}
				break
			fi
			verb=\${COMP_WORDS[i]}
			;;
		esac
	done
	if [[ $cur == = ]]; then
		option=$prev cur=
	elif [[ $prev == = ]]; then
		option=\${COMP_WORDS[COMP_CWORD-2]}
	elif [[ $cur != -* ]]; then
		option=$prev
	fi
	case $option in
${[...new Set([...choices, ...paths])].join('\n')}
	${valued}) COMPREPLY=(); return ;;
	*) option= ;;
	esac
	if [[ -z $option ]]; then
		case $verb:$cur in
		:-*) words='${words(options)}' ;;
		:*) words='${commands.map(({ verb }) => verb).join(' ')}' ;;
${commands.map(({ verb, options: own }) => `\t\t${verb}:-*) words='${words([...own, ...options])}' ;;`).join('\n')}
		${commands
      .filter(namesUser)
      .map(({ verb }) => `${verb}:*`)
      .join('|')}) words=$(${LIVE_NAMES}) ;;
		*:-*) ;;
		*)
			case $verb:$action:$cur in
${actionCases.join('\n').replaceAll(/^/gm, '\t')}
			esac
			;;
		esac
	fi
	if [[ -n $files ]]; then
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return 0
	fi
	COMPREPLY=($(compgen -W "$words" -- "$cur"))
	[[ \${COMPREPLY[0]} == *= ]] && compopt -o nospace
	return 0
}
complete -F _dynuserctl dynuserctl
`;
}

/** zshcompsys(1), _arguments. */
export function zshCompletion({ commands, options }: CommandTable): string {
  const quote = (text: string): string => text.replaceAll("'", "'\\''");
  const spelled = (text: string): string => quote(text.replace(/[[\]:\\]/g, '\\$&'));
  const spec = ({ name, value, choices, isPath, repeatable, help }: OptionSpec): string => {
    const values = choices === undefined ? (isPath ? '_files' : '') : `(${choices.join(' ')})`;
    const action = value === undefined ? '' : `:${spelled(value)}:${values}`;
    return `'${repeatable ? '*' : ''}--${name}${value === undefined ? '' : '='}[${spelled(help)}]${action}'`;
  };
  const operand = (command: CommandSpec): string[] =>
    command.actions !== undefined
      ? [`'1:action:(${Object.keys(command.actions).join(' ')})'`, `'*::argument:_dynuserctl_${command.verb}'`]
      : command.operands.map(name => `'1:${spelled(name)}:${namesUser(command) ? '_dynuserctl_users' : ''}'`);
  const cases = commands.map(
    command =>
      `\t${command.verb}) _arguments ${[...command.options.map(spec), ...options.map(spec), ...operand(command)].join(' ')} ;;`,
  );
  const lookups = { names: '_dynuserctl_fleet_names', hosts: '_dynuserctl_fleet_hosts', files: '_files' };
  const operandsOfActions = withActions(commands).map(
    ({ verb, actions }) => `_dynuserctl_${verb}() {
	case $words[1] in
${completedActions(actions)
  .map(({ words: some, kind }) => `\t${some.join('|')}) ${lookups[kind]} ;;`)
  .join('\n')}
	esac
}
`,
  );
  return `#compdef dynuserctl
# Completion of dynuserctl for zsh.
_dynuserctl_users() {
	local -a users=(\${(f)"$(${LIVE_NAMES})"})
	_describe user users
}
_dynuserctl_fleet_names() {
	local -a names=(\${(f)"$(${FLEET_NAMES})"})
	_describe name names
}
_dynuserctl_fleet_hosts() {
	local -a hosts=(\${(f)"$(${FLEET_HOSTS})"})
	_describe host hosts
}
${operandsOfActions.join('')}_dynuserctl() {
	local curcontext=$curcontext state line
	local -A opt_args
	local -a verbs=(
${commands.map(({ verb, summary }) => `\t\t'${verb}:${quote(summary)}'`).join('\n')}
	)
	_arguments -C ${options.map(spec).join(' ')} '1:command:->verb' '*::argument:->rest'
	case $state in
	verb) _describe command verbs; return ;;
	rest) ;;
	*) return ;;
	esac
	case $words[1] in
${cases.join('\n')}
	esac
}
_dynuserctl "$@"
`;
}

/** fish(1), complete. */
export function fishCompletion({ commands, options }: CommandTable): string {
  const quote = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;
  const verbs = commands.map(({ verb }) => verb).join(' ');
  const option = ({ name, letter, value, choices, isPath, help }: OptionSpec, condition: string): string => {
    const values = choices === undefined ? (isPath ? ' -r -F' : ' -x') : ` -x -a ${quote(choices.join(' '))}`;
    const takes = value === undefined ? '' : values;
    const short = letter === undefined ? '' : ` -s ${letter}`;
    return `complete -c dynuserctl${condition}${short} -l ${name}${takes} -d ${quote(help)}`;
  };
  const others = withActions(commands);
  /** Some actions have the names of commands. */
  const within = (verb: string): string => {
    const namesakes = others.filter(each => each.verb !== verb && Object.hasOwn(each.actions, verb));
    const not =
      namesakes.length === 0
        ? ''
        : `; and not __fish_seen_subcommand_from ${namesakes.map(each => each.verb).join(' ')}`;
    return ` -n ${quote(`__fish_seen_subcommand_from ${verb}${not}`)}`;
  };
  const lookups = { names: "-a '(__dynuserctl_fleet_names)'", hosts: "-a '(__dynuserctl_fleet_hosts)'", files: '-F' };
  const actionLines = others.flatMap(({ verb, actions }) => {
    const all = Object.keys(actions).join(' ');
    const seen = `__fish_seen_subcommand_from ${verb}`;
    return [
      `complete -c dynuserctl -n ${quote(`${seen}; and not __fish_seen_subcommand_from ${all}`)} -a ${quote(all)}`,
      ...completedActions(actions).map(
        ({ words: some, kind }) =>
          `complete -c dynuserctl -n ${quote(`${seen}; and __fish_seen_subcommand_from ${some.join(' ')}`)} ${lookups[kind]}`,
      ),
    ];
  });
  return `# Completion of dynuserctl for fish.
function __dynuserctl_users
	${LIVE_NAMES}
end
function __dynuserctl_fleet_names
	${FLEET_NAMES}
end
function __dynuserctl_fleet_hosts
	${FLEET_HOSTS}
end
complete -c dynuserctl -f
${[
  ...options.map(each => option(each, '')),
  ...commands.map(
    ({ verb, summary }) =>
      `complete -c dynuserctl -n ${quote(`not __fish_seen_subcommand_from ${verbs}`)} -a ${verb} -d ${quote(summary)}`,
  ),
  ...commands.flatMap(({ verb, options: own }) => own.map(each => option(each, within(verb)))),
  ...commands.filter(namesUser).map(({ verb }) => `complete -c dynuserctl${within(verb)} -a '(__dynuserctl_users)'`),
  ...actionLines,
].join('\n')}
`;
}
