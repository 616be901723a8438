/** nsswitch.conf(5) as a list of words. Pure. */

/** @returns the services of a database and the actions in brackets behind them, in the order of the file */
export function nsswitchWords(text: string, database: string): string[] {
  const words: string[] = [];
  for (const line of text.split('\n')) {
    const [name, ...rest] = line.replace(/#.*/, '').split(':');
    if (name?.trim() === database) {
      words.push(...(rest.join(':').match(/\[[^\]]*\]|[^\s[\]]+/g) ?? []));
    }
  }
  // Spaces within the brackets mean nothing: one spelling is easier to look for.
  return words.map(word => (word.startsWith('[') ? word.replace(/\s*=\s*/g, '=') : word));
}
