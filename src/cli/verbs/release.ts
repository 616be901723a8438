/** dynuserctl release NAME|UID|LEASE|PATTERN */
import type { Lease } from '../../api/generated/io-dynuser-allocator.ts';
import type { Client } from '../../client/client.ts';
import { DynuserError } from '../../client/errors.ts';
import { asLeaseId } from '../../core/ids.ts';
import { isPattern } from '../../core/pattern.ts';
import type { Handler } from '../command.ts';
import { CommandFailure, usageFailure } from '../failure.ts';
import { leasesOf, listLeases, matching, sortLeases } from '../leases.ts';
import { RELEASE_TIMEOUT_MS, RELEASED_SHOWN_MAX } from '../limits.ts';
import type { ProcessIo } from '../process-io.ts';
import { countUsers, membersOf, remainsWords } from '../render/leases.ts';
import { type ColumnOf, chooseStyle, renderRows } from '../render/table.ts';
import { countOf, printable } from '../render/text.ts';
import { withClient } from '../with-client.ts';

export const release: Handler = async ({ operands, options }, io) => {
  const [which = ''] = operands;
  const all = options.has('all');
  const lease = asLeaseId(which);
  if (lease !== undefined && all) {
    throw usageFailure('--all goes with a name or a UID, not with a lease', 'release');
  }
  const done = await withClient(io, async client => {
    if (lease !== undefined) {
      return { released: `the lease ${lease}`, remains: await releaseOne(client, lease) };
    }
    if (isPattern(which)) {
      return await releaseMatching(client, which, { all, asks: !options.has('yes') }, io);
    }
    const leases = leasesOf(await listLeases(client), which);
    checkLive(leases);
    const own = withoutMemberships(leases);
    const named = all ? own : [theExplicitOne(own)];
    return { remains: await releaseEach(client, named), released: sentence(leases, named) };
  });
  if (done === undefined) {
    await io.errors.write('dynuserctl: nothing was released\n');
    return 1;
  }
  const { released, remains } = done;
  if (remains !== undefined) {
    const what = 'the lease is dropped, but the UID stays reserved until nothing of the user is left';
    await io.errors.write(`dynuserctl: ${what}: ${printable(remains)}; dynuserd tries again by itself\n`);
  }
  if (io.output.terminal !== undefined) {
    await io.output.write(`Released ${released}.\n`);
  }
  return 0;
};

interface Released {
  /** in words */
  readonly released: string;
  /** what keeps the UID of a user reserved, if something does */
  readonly remains: string | undefined;
}

/**
 * Releases the explicit leases of all users that match, or all of their leases, after a question.
 * @returns undefined if the operator does not want it
 * @throws CommandFailure if none matches, or nobody can be asked
 */
async function releaseMatching(
  client: Client,
  pattern: string,
  { all, asks }: { readonly all: boolean; readonly asks: boolean },
  io: ProcessIo,
): Promise<Released | undefined> {
  const matched = matching(await listLeases(client), [pattern]).filter(
    lease => lease.ending !== true && lease.member === undefined,
  );
  const named = sortLeases(all ? matched : matched.filter(lease => lease.lifetime === 'explicit'), 'name');
  if (named.length === 0) {
    const what = matched.length === 0 ? 'lease' : 'explicit lease';
    const advice =
      matched.length === 0 ? "'dynuserctl list' shows all there are" : 'the others end by themselves, or with --all';
    throw new CommandFailure(`no ${what} matches '${printable(pattern)}': ${advice}`);
  }
  const words = `${countOf(named.length, 'lease')} of ${countOf(countUsers(named), 'user')}`;
  if (asks) {
    const answer = await io.ask(`${shortListing(named)}Release ${words}? [y/N] `);
    if (answer === undefined) {
      throw new CommandFailure(`release '${printable(pattern)}' asks first, and there is no terminal; use --yes`, {
        status: 2,
      });
    }
    if (!/^y(?:es)?$/i.test(answer.trim())) {
      return undefined;
    }
  }
  return { released: words, remains: await releaseEach(client, named) };
}

const SHORT_COLUMNS: readonly ColumnOf<Lease>[] = [
  { title: 'UID', numeric: true, cell: ({ uid }) => uid },
  { title: 'NAME', cell: ({ userName }) => userName },
  { title: 'LIFETIME', cell: ({ lifetime }) => lifetime },
  { title: 'UNIT', cell: ({ unit }) => unit },
];

function shortListing(leases: readonly Lease[]): string {
  const more = leases.length - RELEASED_SHOWN_MAX;
  const layout = { legend: false, style: chooseStyle(false, {}) };
  const table = renderRows(SHORT_COLUMNS, leases.slice(0, RELEASED_SHOWN_MAX), layout);
  return `${table}${more > 0 ? `and ${more} more\n` : ''}`;
}

/**
 * A membership ends with the lease that it is for.
 * @throws CommandFailure if there are only such
 */
function withoutMemberships(leases: readonly [Lease, ...Lease[]]): [Lease, ...Lease[]] {
  const [first, ...others] = leases.filter(({ member }) => member === undefined);
  if (first === undefined) {
    const name = printable(leases[0].userName);
    const members = membersOf(leases).map(printable).join(', ');
    throw new CommandFailure(`${name} is a group that ends with its members: release ${members}`);
  }
  return [first, ...others];
}

/** @throws CommandFailure if the user has been released before */
function checkLive([first]: readonly [Lease, ...Lease[]]): void {
  if (first.ending === true) {
    const who = `${printable(first.userName)} is released already, and its UID ${first.uid} stays reserved`;
    throw new CommandFailure(`${who}: ${remainsWords(first)}; dynuserd tries again by itself`);
  }
}

/** @returns the lease that a user's name alone stands for. @throws CommandFailure if it stands for none or several */
function theExplicitOne(leases: readonly [Lease, ...Lease[]]): Lease {
  const [first] = leases;
  const name = printable(first.userName);
  const [only, ...others] = leases.filter(lease => lease.lifetime === 'explicit');
  if (only === undefined) {
    throw new CommandFailure(
      `${name} has no explicit lease, and its leases end by themselves; ` +
        `name a lease, or use --all as root, to end it early:\n${listing(leases)}`,
    );
  }
  if (others.length > 0) {
    throw new CommandFailure(
      `${name} has ${others.length + 1} explicit leases: name one, or use --all:\n${listing([only, ...others])}`,
    );
  }
  return only;
}

function listing(leases: readonly Lease[]): string {
  return leases.map(lease => `  ${printable(lease.lease)}  ${lease.lifetime}  ${printable(lease.unit)}`).join('\n');
}

/** @returns what keeps the UID reserved, if the lease was the last one and something is left. @throws DynuserError */
async function releaseOne(client: Client, lease: string): Promise<string | undefined> {
  return (await client.release(lease, { timeoutMs: RELEASE_TIMEOUT_MS })).remains;
}

/** @returns what the last lease left, as releaseOne() does */
async function releaseEach(client: Client, leases: readonly Lease[]): Promise<string | undefined> {
  let remains: string | undefined;
  for (const { lease } of leases) {
    try {
      remains = await releaseOne(client, lease);
    } catch (error) {
      // Somebody else has released it meanwhile.
      if (!(error instanceof DynuserError && error.code === 'NoSuchLease')) {
        throw error;
      }
    }
  }
  return remains;
}

function sentence(leases: readonly Lease[], released: readonly Lease[]): string {
  const name = printable(leases[0]?.userName ?? '');
  const left = leases.length - released.length;
  return left === 0 ? name : `one lease of ${name}; ${left} more ${left === 1 ? 'holds' : 'hold'} it`;
}
