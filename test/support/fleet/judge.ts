/** Judges what a fleet did under faults: by the history of the store, and by the processes that were seen. */

/** What happened to a key in one transaction. */
export interface KeyEvent {
  readonly revision: number;
  /** without the prefix of the fleet */
  readonly key: string;
  /** undefined: it was removed */
  readonly value: string | undefined;
}

/** @returns what was wrong at any revision, in words. @param events in the order of their revisions */
export function judgeHistory(events: readonly KeyEvent[]): string[] {
  const keys = new Map<string, string>();
  const faults: string[] = [];
  for (let index = 0; index < events.length; ) {
    const revision = events[index]?.revision ?? 0;
    const changed: KeyEvent[] = [];
    for (; events[index]?.revision === revision; index++) {
      const event = events[index];
      if (event !== undefined) {
        changed.push(event);
      }
    }
    const before = new Map(changed.map(({ key }) => [key, keys.get(key)]));
    for (const { key, value } of changed) {
      if (value === undefined) {
        keys.delete(key);
      } else {
        keys.set(key, value);
      }
    }
    for (const { key, value } of changed) {
      faults.push(...judgeChange(keys, key, before.get(key), value).map(fault => `revision ${revision}: ${fault}`));
    }
  }
  return faults;
}

function judgeChange(
  keys: ReadonlyMap<string, string>,
  key: string,
  before: string | undefined,
  value: string | undefined,
): string[] {
  const [kind, first = '', second = ''] = key.split('/');
  switch (kind) {
    case 'name': {
      const faults = [];
      if (value !== undefined && keys.get(`uid/${value}`) !== first) {
        faults.push(`${first} is bound to ${value}, which is ${keys.get(`uid/${value}`) ?? "nobody's"}`);
      }
      if (value !== undefined && before !== undefined && value !== before) {
        faults.push(`${first} had ${before}, and has ${value} at once`);
      }
      const held = value === undefined && [...keys.keys()].some(each => each.startsWith(`hold/${first}/`));
      return held ? [...faults, `${first} is free, and a host holds it`] : faults;
    }
    case 'uid': {
      if (first.startsWith('fenced.')) {
        return [];
      }
      const name = value?.startsWith('-') ? undefined : value;
      const former = before?.replace(/^-/, '');
      if (name !== undefined && keys.get(`name/${name}`) !== first) {
        return [`${first} is ${name}'s, who has ${keys.get(`name/${name}`) ?? 'none'}`];
      }
      return former !== undefined && value !== undefined && value.replace(/^-/, '') !== former
        ? [`${first} was ${former}'s, and is ${value}'s at once`]
        : [];
    }
    case 'hold':
      return value !== undefined && !keys.has(`name/${first}`) ? [`${second} holds ${first}, which is not bound`] : [];
    case 'by-host':
      return value !== undefined && keys.get(`name/${second}`) !== value
        ? [`${first} holds ${second} with ${value}, and it has ${keys.get(`name/${second}`) ?? 'none'}`]
        : [];
    default:
      return [];
  }
}

/** A process of a user of the fleet. */
export interface SeenProcess {
  readonly uid: number;
  readonly name: string;
}

/** @returns the UIDs with which two names run at one time, in words */
export function judgeProcesses(seen: readonly SeenProcess[]): string[] {
  const names = new Map<number, string>();
  return seen.flatMap(({ uid, name }) => {
    const other = names.get(uid) ?? name;
    names.set(uid, other);
    return other === name ? [] : [`${name} and ${other} run with ${uid}`];
  });
}
