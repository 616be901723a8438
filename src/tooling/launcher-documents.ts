/**
 * What the documents of dynuser-run have from tables: the list of properties in its manual page, and the completions, with the options of its
 * table in C. Pure.
 */
import { PROPERTY_NAMES, PROPERTY_TEXTS } from '../launch/properties/table.ts';
import { mdocText } from './command-manual.ts';

/** A line of the page's source that the list replaces. */
const PLACEHOLDER = '.\\" The list of properties is put here.\n';

/** @throws TypeError if the page has no place for the list */
export function withPropertyList(page: string): string {
  if (!page.includes(PLACEHOLDER)) {
    throw new TypeError('dynuser-run.1 has no place for the list of properties');
  }
  const items = PROPERTY_TEXTS.map(
    ({ names, text }) => `.It ${names.map(name => `Cm ${name} Ns =`).join(' , ')}\n${mdocText(text)}`,
  );
  return page.replace(PLACEHOLDER, () => `.Bl -tag -width Ds\n${items.join('')}.El\n`);
}

export interface LauncherOption {
  /** without dashes */
  readonly name: string;
  readonly letter?: string;
  readonly takesValue: boolean;
}

/**
 * @param table options.c
 * @returns the options of dynuser-run's own, without those that it has only because systemd-run has them
 */
export function launcherOptions(table: string): LauncherOption[] {
  const rows = table.matchAll(/^\t\{ "([a-z-]+)", '(.*)', OPTION_(\w+), VALUE_(\w+), .* \},$/gm);
  return [...rows]
    .filter(([, , , code]) => code !== 'NO_EXPANSION')
    .map(([, name = '', letter = '', , value]) => ({
      name,
      ...(letter === '\\0' ? {} : { letter }),
      takesValue: value === 'NEEDED',
    }));
}

const ISOLATIONS = 'full best-effort';

function spellings({ name, letter }: LauncherOption): string[] {
  return [`--${name}`, ...(letter === undefined ? [] : [`-${letter}`])];
}

/** bash(1), Programmable Completion. "=" splits words there: "--property=A=b" is five of them. */
export function bashLauncherCompletion(options: readonly LauncherOption[]): string {
  const valued = options.filter(({ takesValue }) => takesValue).flatMap(spellings);
  const words = options.map(({ name, takesValue }) => `--${name}${takesValue ? '=' : ''}`);
  return `# Completion of dynuser-run for bash.
_dynuser_run() {
	local cur=\${COMP_WORDS[COMP_CWORD]} option= i
	for ((i = 1; i < COMP_CWORD; i++)); do
		case \${COMP_WORDS[i]} in
		${valued.join('|')})
			option=\${COMP_WORDS[i]}
			[[ \${COMP_WORDS[i+1]} == = ]] && ((i++))
			((i++ >= COMP_CWORD - 1)) && break
			while [[ \${COMP_WORDS[i+1]} == = ]] && ((i < COMP_CWORD)); do ((i += 2)); option=; done
			((i >= COMP_CWORD)) && return
			option=
			;;
		--) ((i++)); break ;;
		-*) ;;
		*) break ;;
		esac
	done
	[[ $cur == = ]] && cur=
	if [[ -z $option ]] && ((i < COMP_CWORD)); then
		declare -F _command_offset >/dev/null && _command_offset $i || COMPREPLY=($(compgen -f -- "$cur"))
		return
	fi
	case $option in
	--property|-p) COMPREPLY=($(compgen -S = -W '${PROPERTY_NAMES.join(' ')}' -- "$cur")) ;;
	--isolation) COMPREPLY=($(compgen -W '${ISOLATIONS}' -- "$cur")) ;;
	--unit-file|--working-directory) COMPREPLY=($(compgen -f -- "$cur")) ;;
	?*) COMPREPLY=() ;;
	*)
		case $cur in
		-*) COMPREPLY=($(compgen -W '${words.join(' ')}' -- "$cur")) ;;
		*) COMPREPLY=($(compgen -c -- "$cur")) ;;
		esac
		;;
	esac
	[[ \${COMPREPLY[0]} == *= ]] && compopt -o nospace
	return 0
}
complete -F _dynuser_run dynuser-run
`;
}

/** zshcompsys(1), _arguments. */
export function zshLauncherCompletion(options: readonly LauncherOption[]): string {
  const actions: Readonly<Record<string, string>> = {
    property: ':property:->property',
    isolation: `:isolation:(${ISOLATIONS})`,
    'unit-file': ':file:_files',
    'working-directory': ':directory:_files -/',
  };
  const specs = options.flatMap(({ name, letter, takesValue }) => {
    const action = takesValue ? (actions[name] ?? `:${name}:`) : '';
    const long = `'*--${name}${takesValue ? '=' : ''}${action}'`;
    return letter === undefined ? [long] : [long, `'*-${letter}${takesValue ? '+' : ''}${action}'`];
  });
  return `#compdef dynuser-run
# Completion of dynuser-run for zsh.
_dynuser_run() {
	local curcontext=$curcontext state line
	local -A opt_args
	local -a properties=(${PROPERTY_NAMES.join(' ')})
	_arguments -C -S ${specs.join(' ')} '(-)1:command:_command_names -e' '*::argument:_normal'
	case $state in
	property) compset -P '*=' || compadd -S = -a properties ;;
	esac
}
_dynuser_run "$@"
`;
}

/** fish(1), complete. */
export function fishLauncherCompletion(options: readonly LauncherOption[]): string {
  const values: Readonly<Record<string, string>> = {
    property: ` -x -a '${PROPERTY_NAMES.map(name => `${name}=`).join(' ')}'`,
    isolation: ` -x -a '${ISOLATIONS}'`,
    'unit-file': ' -r',
    'working-directory': " -x -a '(__fish_complete_directories)'",
  };
  const lines = options.map(({ name, letter, takesValue }) => {
    const short = letter === undefined ? '' : ` -s ${letter}`;
    return `complete -c dynuser-run -l ${name}${short}${takesValue ? (values[name] ?? ' -x') : ''}`;
  });
  return `# Completion of dynuser-run for fish.
complete -c dynuser-run -x -a '(__fish_complete_subcommand)'
${lines.join('\n')}
`;
}
