/** Whether this host needs a fleet, and if it is in one, whether all is well with it. */
import { X509Certificate } from 'node:crypto';
import type { FleetStatusReply } from '../../../api/generated/io-dynuser-allocator.ts';
import { PRIVATE } from '../../../core/directory-classes.ts';
import { COMPANION_SOCKET } from '../../../core/paths.ts';
import { inRange, parseRange } from '../../../core/range.ts';
import { fleetRanges, settingsIn } from '../../configured-ranges.ts';
import { type Host, isSeen, Unreadable } from '../../host.ts';
import { accountsIn } from '../../host-lookups.ts';
import { FINDINGS_OF_A_KIND_MAX } from '../../limits.ts';
import { countOf } from '../../render/text.ts';
import { type Finding, findingsOf, shorten } from '../finding.ts';
import { BASES, FILE_SYSTEMS, isAtLeast } from './directories.ts';

const COMPANION_CONFIG = '/etc/dynuser/fleetd.conf';
const CREDENTIALS = '/etc/credstore';
const DAY_MS = 86_400_000;
/** A certificate that ends sooner is a warning. */
const CERTIFICATE_WARNING_MS = 14 * DAY_MS;
/** Directories of users that are looked at below each base. */
const DIRECTORIES_MAX = 1_000;

const { ok, warning, problem, unknown, orOk } = findingsOf('Fleet');

/** @param status what the daemon says, undefined if it does not say anything; @param now milliseconds since the epoch */
export function checkFleet(host: Host, status: FleetStatusReply | undefined, now: number): readonly Finding[] {
  if (status === undefined || status.mode === 'off') {
    return orOk(
      checkSharedDirectories(host),
      'this host is in no fleet, and no directory of users is on storage that hosts share',
    );
  }
  return [
    checkMembership(status),
    ...checkConflicts(status),
    ...checkCompanion(host),
    ...checkCertificates(host, now),
    ...checkAccounts(host, status),
  ];
}

/** A name has another UID on each host: files on storage that hosts share would be another's there. */
function checkSharedDirectories(host: Host): readonly Finding[] {
  const found = BASES.flatMap(base => {
    const directory = `${base}/${PRIVATE}`;
    const names = host.names(directory);
    const below = isSeen(names) ? names.slice(0, DIRECTORIES_MAX).map(name => `${directory}/${name}`) : [];
    return [base, directory, ...below].flatMap(path => {
      const type = host.fileSystem(path);
      const known = typeof type === 'number' ? FILE_SYSTEMS.get(type) : undefined;
      const isMapped = known?.since !== undefined && isAtLeast(host.kernel, known.since);
      return known?.isShared === true && !isMapped ? [{ path, name: known.name }] : [];
    });
  });
  // What is below a directory that is told is told with it.
  const told = found.filter(
    ({ path }) => !found.some(other => path !== other.path && path.startsWith(`${other.path}/`)),
  );
  const findings = told.map(({ path, name }) =>
    warning(
      `${path} is on ${name}: if other hosts have it too, the owner of a file there is another user on each`,
      'put the hosts into a fleet (docs/fleet.md); nothing if no other host has these files',
    ),
  );
  return shorten(findings, count =>
    warning(`${count} more directories are on storage that hosts share`, 'look at mount(8)'),
  );
}

/** Whether a UID is one that the fleet of this host gives out. */
export function isOfFleet(host: Host, status: FleetStatusReply | undefined, uid: number): boolean {
  if (status === undefined || status.mode === 'off') {
    return false;
  }
  const range = parseRange(status.ranges ?? fleetRanges(host, undefined));
  return typeof range !== 'string' && inRange(range, uid);
}

function checkConflicts({ holds }: FleetStatusReply): readonly Finding[] {
  const found = holds.flatMap(({ conflict }) => (conflict === undefined ? [] : [conflict]));
  return shorten(
    found.map(conflict => problem(conflict, "do what it says; 'dynuserctl fleet check' looks again")),
    count => problem(`${count} more names contradict the store of the fleet`, "see 'dynuserctl fleet check'"),
  );
}

function checkMembership({ state, reason, fleet = 'the fleet', hostName, holds }: FleetStatusReply): Finding {
  if (state === 'member') {
    return ok(`${hostName ?? 'this host'} is a member of ${fleet}, and holds ${countOf(holds.length, 'name')}`);
  }
  const words = `this host is not a member of ${fleet} (${state})${reason === undefined ? '' : `: ${reason}`}`;
  return problem(words, "do what it says; 'dynuserctl fleet check' looks again");
}

function checkCompanion(host: Host): Finding[] {
  const configuration = host.text(COMPANION_CONFIG);
  if (configuration === undefined) {
    return [problem(`there is no ${COMPANION_CONFIG}`, 'write it, as dynuser-fleetd(8) says')];
  }
  const socket = host.inode(COMPANION_SOCKET);
  if (socket === undefined) {
    return [problem('dynuser-fleetd does not run', 'systemctl enable --now dynuser-fleetd')];
  }
  return socket instanceof Unreadable ? [unknown(`${COMPANION_SOCKET}: ${socket.why}`)] : [];
}

function checkCertificates(host: Host, now: number): Finding[] {
  const configuration = host.text(COMPANION_CONFIG);
  return settingsIn(isSeen(configuration) ? configuration : '')
    .filter(({ key, value }) => (key === 'CertificateFile' || key === 'CaFile') && value !== '')
    .flatMap(({ value }) => judgeCertificate(host, value.startsWith('/') ? value : `${CREDENTIALS}/${value}`, now));
}

function judgeCertificate(host: Host, path: string, now: number): Finding[] {
  const text = host.text(path);
  if (text === undefined) {
    return [problem(`there is no ${path}`, 'put the certificate there, or correct fleetd.conf')];
  }
  if (text instanceof Unreadable) {
    return [unknown(`${path}: ${text.why}`)];
  }
  let until: number;
  try {
    until = Date.parse(new X509Certificate(text).validTo);
  } catch {
    return [problem(`${path} is not a certificate`, 'replace it')];
  }
  const renew = 'replace it, and restart dynuser-fleetd; names that this host holds are not touched meanwhile';
  if (until <= now) {
    return [problem(`${path} has expired: the store lets this host in no more`, renew)];
  }
  const days = Math.floor((until - now) / DAY_MS);
  const left = days === 0 ? 'less than a day' : countOf(days, 'day');
  return until - now < CERTIFICATE_WARNING_MS ? [warning(`${path} expires in ${left}`, renew)] : [];
}

/** An account with a number of the fleet is a user of it on another host. */
function checkAccounts(host: Host, status: FleetStatusReply): readonly Finding[] {
  const passwd = host.text('/etc/passwd');
  return accountsIn(isSeen(passwd) ? passwd : '')
    .filter(({ id }) => isOfFleet(host, status, id))
    .slice(0, FINDINGS_OF_A_KIND_MAX)
    .map(({ name, id }) =>
      warning(
        `${name} of /etc/passwd has ${id}, which the fleet may have bound to another name: that name is refused here`,
        'give it a number outside of FleetUidRange=',
      ),
    );
}
