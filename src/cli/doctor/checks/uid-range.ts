/** Whether somebody else may have, or get, a UID that the daemon gives out: accounts, useradd(8), user namespaces, other allocators. */
import { mergeIntervals, type UidInterval } from '../../../core/range.ts';
import { CONFIG_FILE, configuredRanges } from '../../configured-ranges.ts';
import { type Host, Unreadable } from '../../host.ts';
import { accountsIn } from '../../host-lookups.ts';
import { FINDINGS_OF_A_KIND_MAX } from '../../limits.ts';
import { type Finding, findingsOf } from '../finding.ts';

/** login.defs(5): the ranges that new accounts are given from. */
const GIVEN_OUT = ['UID', 'GID', 'SYS_UID', 'SYS_GID', 'SUB_UID', 'SUB_GID'];

/** Numbers that other programs give out without asking for them (systemd, docs/UIDS-GIDS.md; Nomad, dynamic workload users). */
const OF_OTHERS = [
  { first: 80_000, last: 89_999, whose: 'Nomad gives to its dynamic workload users' },
  { first: 524_288, last: 1_879_048_191, whose: 'systemd-nspawn gives to containers' },
  { first: 2_147_352_576, last: 2_147_418_111, whose: 'systemd keeps for files of foreign systems' },
];

const { warning, problem, unknown, orOk } = findingsOf('UID range');

export function checkRange(host: Host): readonly Finding[] {
  const ranges = configuredRanges(host);
  if ('unknown' in ranges) {
    return [unknown(ranges.unknown)];
  }
  if ('problem' in ranges) {
    return [problem(ranges.problem, 'correct the line: dynuserd does not start with it')];
  }
  const intervals = mergeIntervals(ranges);
  const judge = (path: string, judgeText: (text: string, path: string, range: Intervals) => Finding[]): Finding[] => {
    const text = host.text(path) ?? '';
    return text instanceof Unreadable ? [unknown(`${path}: ${text.why}`)] : judgeText(text, path, intervals);
  };
  const findings = [
    ...['/etc/passwd', '/etc/group'].flatMap(path => judge(path, judgeAccounts)),
    ...judge('/etc/login.defs', judgeLoginDefaults),
    ...['/etc/subuid', '/etc/subgid'].flatMap(path => judge(path, judgeSubordinates)),
    ...judgeOthers(intervals),
  ];
  const words = 'no account, and no range of useradd, of a user namespace or of another allocator, is in it';
  return orOk(findings, `${intervals.map(textOf).join(' ')}: ${words}`);
}

/** What can be given out, whatever the unit: ascending. */
type Intervals = readonly UidInterval[];

function judgeAccounts(text: string, path: string, range: Intervals): Finding[] {
  return accountsIn(text)
    .filter(({ id }) => overlap(range, id, id) !== undefined)
    .slice(0, FINDINGS_OF_A_KIND_MAX)
    .map(({ name, id }) => {
      const words = `${name} of ${path} has ${id}, which dynuserd never gives out`;
      return warning(words, 'give it a number outside of the range');
    });
}

function judgeLoginDefaults(text: string, path: string, range: Intervals): Finding[] {
  const number = (key: string): number => Number(new RegExp(`^\\s*${key}\\s+(\\d+)`, 'm').exec(text)?.[1]);
  return GIVEN_OUT.flatMap(kind => {
    const met = overlap(range, number(`${kind}_MIN`), number(`${kind}_MAX`));
    const words = `${kind}_MIN to ${kind}_MAX of ${path} reach into ${textOf(met)}: useradd gives these out too`;
    return met === undefined ? [] : [warning(words, `change ${kind}_MAX, or UidRange= of ${CONFIG_FILE}`)];
  });
}

/** subuid(5): owner, first number, how many. */
function judgeSubordinates(text: string, path: string, range: Intervals): Finding[] {
  return text
    .split('\n')
    .map(line => line.split(':'))
    .flatMap(([owner, first, count]) => {
      const met = overlap(range, Number(first || Number.NaN), Number(first) + Number(count) - 1);
      const words = `${path} lets ${owner} use numbers of ${textOf(met)} in user namespaces, and so act as dynamic users`;
      return met === undefined ? [] : [problem(words, 'give it numbers outside of the range')];
    })
    .slice(0, FINDINGS_OF_A_KIND_MAX);
}

function judgeOthers(range: Intervals): Finding[] {
  return OF_OTHERS.flatMap(({ first, last, whose }) => {
    const met = overlap(range, first, last);
    const words = `${textOf(met)} reaches into ${first}-${last}, which ${whose}`;
    return met === undefined
      ? []
      : [warning(words, `if that is used on this host, change UidRange= of ${CONFIG_FILE}, or take these out by "!"`)];
  });
}

function textOf(interval: UidInterval | undefined): string {
  return interval === undefined ? '' : `${interval.first}-${interval.last}`;
}

/** NaN overlaps nothing. @returns the first interval that has one of the numbers */
function overlap(range: Intervals, first: number, last: number): UidInterval | undefined {
  return range.find(interval => first <= interval.last && last >= interval.first);
}
