/** Whether somebody else may have, or get, a UID of the daemon's range: accounts, useradd(8), user namespaces. */
import { DEFAULT_RANGE, inRange, parseRange, type UidRange } from '../../../core/range.ts';
import { FINDINGS_OF_A_KIND_MAX } from '../../limits.ts';
import { type Finding, findingsOf } from '../finding.ts';
import { type Host, type Observed, Unreadable } from '../host.ts';

export interface RangeFacts {
  readonly configuration: Observed<string>;
  /** by path */
  readonly accounts: ReadonlyMap<string, Observed<string>>;
  readonly loginDefaults: Observed<string>;
  readonly subordinates: ReadonlyMap<string, Observed<string>>;
}

const CONFIGURATION = '/etc/dynuser/dynuserd.conf';
const LOGIN_DEFAULTS = '/etc/login.defs';
const ACCOUNTS = ['/etc/passwd', '/etc/group'];
const SUBORDINATES = ['/etc/subuid', '/etc/subgid'];
/** login.defs(5): the ranges that new accounts are given from. */
const GIVEN_OUT = ['UID', 'GID', 'SYS_UID', 'SYS_GID', 'SUB_UID', 'SUB_GID'];

export function inspectRange(host: Host): RangeFacts {
  const texts = (paths: readonly string[]) => new Map(paths.map(path => [path, host.text(path)]));
  return {
    configuration: host.text(CONFIGURATION),
    accounts: texts(ACCOUNTS),
    loginDefaults: host.text(LOGIN_DEFAULTS),
    subordinates: texts(SUBORDINATES),
  };
}

export function judgeRange(facts: RangeFacts): Finding[] {
  const { ok, problem, unknown } = findingsOf('UID range');
  const range = configuredRange(facts.configuration);
  if (range instanceof Unreadable) {
    return [unknown(`${CONFIGURATION}: ${range.why}`)];
  }
  if (typeof range === 'string') {
    return [problem(`${CONFIGURATION}: UidRange=: ${range}`, 'correct the line: dynuserd does not start with it')];
  }
  const findings = [
    ...judgeAccounts(facts.accounts, range),
    ...judgeLoginDefaults(facts.loginDefaults, range),
    ...judgeSubordinates(facts.subordinates, range),
  ];
  const words = `${range.first}-${range.last}`;
  return findings.length > 0
    ? findings
    : [ok(`${words}: no account, and no range of useradd or a user namespace, is in it`)];
}

function configuredRange(configuration: Observed<string>): UidRange | string | Unreadable {
  if (configuration instanceof Unreadable) {
    return configuration;
  }
  const value = /^[ \t]*UidRange[ \t]*=[ \t]*(.*?)[ \t\r]*$/m.exec(configuration ?? '')?.[1];
  return value === undefined ? DEFAULT_RANGE : parseRange(value);
}

function judgeAccounts(accounts: RangeFacts['accounts'], range: UidRange): Finding[] {
  const { warning, unknown } = findingsOf('UID range');
  return Array.from(accounts).flatMap(([path, text]) => {
    if (text instanceof Unreadable) {
      return [unknown(`${path}: ${text.why}`)];
    }
    // passwd(5), group(5): the number is the third field of both.
    const lines = (text ?? '').split('\n').map(line => line.split(':'));
    const inside = lines.filter(([, , id = '']) => /^\d+$/.test(id) && inRange(range, Number(id)));
    return inside
      .slice(0, FINDINGS_OF_A_KIND_MAX)
      .map(([name, , id]) =>
        warning(
          `${name} of ${path} has ${id}, which dynuserd never gives out`,
          'give it a number outside of the range',
        ),
      );
  });
}

function judgeLoginDefaults(text: Observed<string>, range: UidRange): Finding[] {
  const { warning, unknown } = findingsOf('UID range');
  if (text instanceof Unreadable) {
    return [unknown(`${LOGIN_DEFAULTS}: ${text.why}`)];
  }
  const number = (key: string): number => Number(new RegExp(`^\\s*${key}\\s+(\\d+)`, 'm').exec(text ?? '')?.[1]);
  return GIVEN_OUT.filter(kind => overlaps(range, number(`${kind}_MIN`), number(`${kind}_MAX`))).map(kind =>
    warning(
      `${kind}_MIN to ${kind}_MAX of ${LOGIN_DEFAULTS} reach into ${range.first}-${range.last}: useradd gives these out too`,
      `change ${kind}_MAX, or UidRange= of ${CONFIGURATION}`,
    ),
  );
}

function judgeSubordinates(subordinates: RangeFacts['subordinates'], range: UidRange): Finding[] {
  const { problem, unknown } = findingsOf('UID range');
  return Array.from(subordinates).flatMap(([path, text]) => {
    if (text instanceof Unreadable) {
      return [unknown(`${path}: ${text.why}`)];
    }
    // subuid(5): owner, first number, how many.
    const lines = (text ?? '').split('\n').map(line => line.split(':'));
    const inside = lines.filter(([, first, count]) =>
      overlaps(range, Number(first || Number.NaN), Number(first) + Number(count) - 1),
    );
    return inside
      .slice(0, FINDINGS_OF_A_KIND_MAX)
      .map(([owner]) =>
        problem(
          `${path} lets ${owner} use numbers of ${range.first}-${range.last} in user namespaces, and so act as dynamic users`,
          'give it numbers outside of the range',
        ),
      );
  });
}

/** Numbers that are none overlap nothing. */
function overlaps(range: UidRange, first: number, last: number): boolean {
  return first <= range.last && last >= range.first;
}
