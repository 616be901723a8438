/**
 * Completions of dynuserctl for three shells, made from the table of commands. Names of users come from the daemon that
 * runs; if there is none, nothing is offered. Pure.
 */
import type { CommandSpec, CommandTable, OptionSpec } from '../cli/command.ts';

/** Names alone that mean nothing to a shell: bash expands what it is given to choose from. */
const LIVE_NAMES =
  "dynuserctl list --no-legend 2>/dev/null | awk '$2 ~ /^[A-Za-z0-9_.-]+$/ && !seen[$2]++ { print $2 }'";

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
  // In "--json short" the second word is no command.
  const withValue = all.filter(({ value }) => value !== undefined).map(({ name }) => `--${name}`);
  const valued = [...new Set(withValue)].join('|');
  return `# Completion of dynuserctl for bash.
_dynuserctl() {
	local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} verb= words= option= i
	for ((i = 1; i < COMP_CWORD; i++)); do
		case \${COMP_WORDS[i]} in
		${valued})
			# Its value is the next word, or the one behind the "=".
			[[ \${COMP_WORDS[i+1]} == = ]] && ((i++))
			((i++))
			;;
		-*) ;;
		*) verb=\${COMP_WORDS[i]}; break ;;
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
${[...new Set(choices)].join('\n')}
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
		esac
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
  const spec = ({ name, value, choices, repeatable, help }: OptionSpec): string => {
    const action =
      value === undefined ? '' : `:${spelled(value)}:${choices === undefined ? '' : `(${choices.join(' ')})`}`;
    return `'${repeatable ? '*' : ''}--${name}${value === undefined ? '' : '='}[${spelled(help)}]${action}'`;
  };
  const operand = (command: CommandSpec): string[] =>
    command.operands.map(name => `'1:${spelled(name)}:${namesUser(command) ? '_dynuserctl_users' : ''}'`);
  const cases = commands.map(
    command =>
      `\t${command.verb}) _arguments ${[...command.options.map(spec), ...options.map(spec), ...operand(command)].join(' ')} ;;`,
  );
  return `#compdef dynuserctl
# Completion of dynuserctl for zsh.
_dynuserctl_users() {
	local -a users=(\${(f)"$(${LIVE_NAMES})"})
	_describe user users
}
_dynuserctl() {
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
  const option = ({ name, letter, value, choices, help }: OptionSpec, condition: string): string => {
    const takes = value === undefined ? '' : choices === undefined ? ' -x' : ` -x -a ${quote(choices.join(' '))}`;
    const short = letter === undefined ? '' : ` -s ${letter}`;
    return `complete -c dynuserctl${condition}${short} -l ${name}${takes} -d ${quote(help)}`;
  };
  const within = (verb: string): string => ` -n ${quote(`__fish_seen_subcommand_from ${verb}`)}`;
  return `# Completion of dynuserctl for fish.
function __dynuserctl_users
	${LIVE_NAMES}
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
].join('\n')}
`;
}
