/** Completions of dynuserd, made from its help text. Pure. */

export interface DaemonOption {
  /** without dashes */
  readonly name: string;
  /** whether a file's name follows */
  readonly takesFile: boolean;
  readonly help: string;
}

/**
 * @param source of the entry point, which has the help text
 * @throws TypeError if no option is found there
 */
export function daemonOptions(source: string): DaemonOption[] {
  const rows = [...source.matchAll(/^ {2}--([a-z-]+)(=FILE)? +(.*)$/gm)];
  if (rows.length === 0) {
    throw new TypeError('dynuserd.ts has no help text with options');
  }
  return rows.map(([, name = '', file, help = '']) => ({
    name,
    takesFile: file !== undefined,
    help: help.replace(/ \(.*/, ''),
  }));
}

/** bash(1), Programmable Completion. "=" splits words there: "--config=/etc" is three of them. */
export function bashDaemonCompletion(options: readonly DaemonOption[]): string {
  const valued = options.filter(({ takesFile }) => takesFile).map(({ name }) => `--${name}`);
  return `# Completion of dynuserd for bash.
_dynuserd() {
	local cur=\${COMP_WORDS[COMP_CWORD]} option=\${COMP_WORDS[COMP_CWORD-1]}
	[[ $option == = ]] && option=\${COMP_WORDS[COMP_CWORD-2]}
	[[ $cur == = ]] && cur=
	case $option in
	${valued.join('|')}) COMPREPLY=($(compgen -f -- "$cur")) ;;
	*) COMPREPLY=($(compgen -W '${options.map(({ name, takesFile }) => `--${name}${takesFile ? '=' : ''}`).join(' ')}' -- "$cur")) ;;
	esac
	[[ \${COMPREPLY[0]} == --*= ]] && compopt -o nospace
	return 0
}
complete -o filenames -F _dynuserd dynuserd
`;
}

/** zshcompsys(1), _arguments. */
export function zshDaemonCompletion(options: readonly DaemonOption[]): string {
  const specs = options.map(
    ({ name, takesFile, help }) => `'--${name}${takesFile ? '=' : ''}[${help}]${takesFile ? ':file:_files' : ''}'`,
  );
  return `#compdef dynuserd\n# Completion of dynuserd for zsh.\n_arguments ${specs.join(' ')}\n`;
}

/** fish(1), complete. */
export function fishDaemonCompletion(options: readonly DaemonOption[]): string {
  const lines = options.map(
    ({ name, takesFile, help }) => `complete -c dynuserd -l ${name}${takesFile ? ' -r -F' : ' -f'} -d '${help}'`,
  );
  return `# Completion of dynuserd for fish.\n${lines.join('\n')}\n`;
}
