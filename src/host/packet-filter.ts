/**
 * The packets of users, told apart by UID: rules in a table of our own, which nft(8) makes. The kernel knows the UID of whoever
 * opened a socket for each packet that leaves it, and for what comes in to one that is connected. Each change is one transaction:
 * the kernel has all of it or nothing. Rules outlive the daemon, as leases do.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, closeSync, constants, existsSync, openSync, unlinkSync } from 'node:fs';
import type { PacketFilter, PacketHold } from '../allocator/ports.ts';
import { DynuserError, reasonOf } from '../core/errors.ts';
import type { Uid } from '../core/ids.ts';
import type { PacketRules } from '../core/packet-rules.ts';
import { RUNTIME_DIRECTORY } from '../core/paths.ts';
import type { PinnedDirectory } from '../files/pinned-directory.ts';

export const NFT_PROGRAMS: readonly string[] = ['/usr/sbin/nft', '/sbin/nft', '/usr/bin/nft', '/usr/local/sbin/nft'];
/** In the runtime directory, while there may be a table. */
const MARKER = 'packet-rules';
const MARKER_MODE = 0o600;

/** A change may wait for those of others, which hold the kernel's lock of all rules. */
const DEADLINE_MS = 10_000;
const OUTPUT_BYTES_MAX = 64 * 1_024 * 1_024;
const MESSAGE_MAX = 300;
/** From one look whether the rules are still there to the next, in milliseconds. */
export const PACKET_WATCH_MS = 10_000;

/** The last place before packets leave the host, so that rewritten ones are seen as they are sent, and the place where they reach sockets. */
const DIRECTIONS = [
  { chain: 'leaving', hook: 'type filter hook postrouting priority 300 ;', address: 'daddr', interface: 'oifname' },
  { chain: 'arriving', hook: 'type filter hook input priority 300 ;', address: 'saddr', interface: 'iifname' },
] as const;

/** @param path of the runtime directory @returns the table of the daemon that has it, as nft(8) names it */
export function packetTable(path: string): string {
  const suffix = path === RUNTIME_DIRECTORY ? '' : `-${createHash('sha256').update(path).digest('hex').slice(0, 16)}`;
  return `inet dynuser${suffix}`;
}

export interface PacketFilterOptions {
  /** where nft(8) may be, NFT_PROGRAMS but for tests */
  readonly programs: readonly string[];
  /** PACKET_WATCH_MS but for tests */
  readonly watchMs: number;
  /** where its marker is; each has its table */
  readonly runtime: PinnedDirectory;
  readonly warn: (what: string, cause?: unknown) => void;
}

export class NftPacketFilter implements PacketFilter {
  readonly #options: PacketFilterOptions;
  readonly #held = new Map<Uid, PacketRules>();
  /** the last change: they are made one after the other */
  #last: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: PacketFilterOptions) {
    this.#options = options;
  }

  problem(): string | undefined {
    return this.#program() === undefined ? 'nft(8), which filters packets by their UID, is not installed' : undefined;
  }

  async hold(uid: Uid, rules: PacketRules): Promise<PacketHold> {
    this.#held.set(uid, rules);
    const undo = async (): Promise<void> => {
      // Another user may have the UID by now.
      if (this.#held.get(uid) === rules) {
        await this.drop(uid);
      }
    };
    try {
      await this.#inTurn(() => {
        this.#mark();
        return this.#change([...BASE, ...clearing(uid), ...rulesOf(uid, rules)]);
      });
    } catch (error) {
      await undo().catch(cause => this.#options.warn('cannot take rules for packets back', cause));
      throw error;
    }
    this.#watchLater();
    return { undo };
  }

  async drop(uid: Uid): Promise<void> {
    this.#held.delete(uid);
    await this.#inTurn(() =>
      this.#held.size === 0 ? this.#removeTable() : this.#change([...BASE, ...clearing(uid), ...removal(uid)]),
    );
  }

  /**
   * At the start: makes the table hold the rules of these users, and no others. If there was none and is to be none, nft is not
   * asked, which would load its modules.
   * @throws DynuserError HostFailed; what the kernel had is as it was
   */
  async restore(all: ReadonlyMap<Uid, PacketRules>): Promise<void> {
    for (const [uid, rules] of all) {
      this.#held.set(uid, rules);
    }
    if (this.#held.size > 0) {
      this.#watchLater();
      await this.#inTurn(() => this.#rebuild());
    } else if (existsSync(this.#options.runtime.entry(MARKER))) {
      await this.#inTurn(() => this.#removeTable());
    }
  }

  /** The rules stay. */
  async close(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#last;
  }

  async #inTurn(task: () => Promise<void>): Promise<void> {
    const mine = this.#last.then(task);
    this.#last = mine.catch(() => {});
    await mine;
  }

  async #rebuild(): Promise<void> {
    this.#mark();
    await this.#change([...NO_TABLE, ...BASE, ...[...this.#held].flatMap(([uid, rules]) => rulesOf(uid, rules))]);
  }

  async #removeTable(): Promise<void> {
    await this.#change(NO_TABLE);
    if (this.#held.size === 0) {
      unlinkSync(this.#options.runtime.entry(MARKER));
    }
  }

  #program(): string | undefined {
    return this.#options.programs.find(path => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
  }

  async #run(arguments_: readonly string[], input: string): Promise<string> {
    const program = this.#program();
    if (program === undefined) {
      throw new DynuserError('HostFailed', 'nft(8) is not installed any more; install nftables');
    }
    return await run(program, arguments_, input);
  }

  async #change(lines: readonly string[]): Promise<void> {
    const table = packetTable(this.#options.runtime.path);
    await this.#run(['-f', '-'], `${lines.join('\n').replaceAll(TABLE, table)}\n`);
  }

  /** Before there is a table, so that a daemon after a crash knows that there may be one. */
  #mark(): void {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW;
    closeSync(openSync(this.#options.runtime.entry(MARKER), flags, MARKER_MODE));
  }

  #watchLater(): void {
    if (this.#timer === undefined && !this.#isStopped) {
      this.#timer = setTimeout(() => void this.#look(), this.#options.watchMs).unref();
    }
  }

  /** A firewall that is loaded anew often begins with "flush ruleset", which takes everybody's rules. */
  async #look(): Promise<void> {
    try {
      await this.#inTurn(async () => {
        if (this.#held.size > 0 && !(await this.#isWhole())) {
          await this.#rebuild();
          this.#options.warn('somebody had removed rules for the packets of users: they are there again');
        }
      });
    } catch (error) {
      this.#options.warn('cannot check the rules for the packets of users', error);
    }
    this.#timer = undefined;
    if (this.#held.size > 0) {
      this.#watchLater();
    }
  }

  async #isWhole(): Promise<boolean> {
    const text = await this.#run(['list', 'ruleset', 'inet'], '');
    const [, rest = ''] = `\n${text}`.split(`\ntable ${packetTable(this.#options.runtime.path)} {\n`);
    const own = rest.split('\n}\n')[0] ?? '';
    return DIRECTIONS.every(
      ({ chain }) =>
        own.includes(`meta skuid vmap @${chain}`) &&
        [...this.#held.keys()].every(uid => own.includes(`${uid} : jump ${chain}-${uid}`)),
    );
  }
}

/** Stands for the name of the table. */
const TABLE = '<table>';
const NO_TABLE = [`add table ${TABLE}`, `delete table ${TABLE}`];

/** What is the same for all users. To add what is there already changes nothing. */
const BASE = [
  `add table ${TABLE}`,
  ...DIRECTIONS.flatMap(({ chain, hook }) => [
    `add map ${TABLE} ${chain} { type uid : verdict ; }`,
    `add chain ${TABLE} ${chain} { ${hook} }`,
    `flush chain ${TABLE} ${chain}`,
    `add rule ${TABLE} ${chain} meta skuid vmap @${chain}`,
  ]),
];

/** Nothing is left of former rules of a UID, whether there were some or not. */
function clearing(uid: Uid): string[] {
  return DIRECTIONS.flatMap(({ chain }) => [
    `add chain ${TABLE} ${chain}-${uid}`,
    `add element ${TABLE} ${chain} { ${uid} : jump ${chain}-${uid} }`,
    `delete element ${TABLE} ${chain} { ${uid} }`,
    `flush chain ${TABLE} ${chain}-${uid}`,
  ]);
}

function removal(uid: Uid): string[] {
  return DIRECTIONS.map(({ chain }) => `delete chain ${TABLE} ${chain}-${uid}`);
}

/** @param rules checked: none of their texts means anything to nft(8) */
function rulesOf(uid: Uid, { denied, interfaces }: PacketRules): string[] {
  const six = denied.filter(span => span.includes(':'));
  const four = denied.filter(span => !span.includes(':'));
  return DIRECTIONS.flatMap(({ chain, address, interface: name }) => {
    const rule = (words: string): string => `add rule ${TABLE} ${chain}-${uid} ${words} drop`;
    return [
      `add chain ${TABLE} ${chain}-${uid}`,
      ...(four.length === 0 ? [] : [rule(`ip ${address} { ${four.join(', ')} }`)]),
      ...(six.length === 0 ? [] : [rule(`ip6 ${address} { ${six.join(', ')} }`)]),
      ...(interfaces === undefined ? [] : interfaceRules(interfaces, name).map(rule)),
      `add element ${TABLE} ${chain} { ${uid} : jump ${chain}-${uid} }`,
    ];
  });
}

function interfaceRules({ denied, names }: NonNullable<PacketRules['interfaces']>, match: string): string[] {
  const quoted = names.map(name => `"${name}"`).join(', ');
  if (names.length === 0) {
    return denied ? [] : [''];
  }
  return [`${match} ${denied ? '' : '!= '}{ ${quoted} }`];
}

/** @returns what it prints @throws DynuserError HostFailed */
async function run(program: string, arguments_: readonly string[], input: string): Promise<string> {
  const fail = (reason: string, cause?: unknown): DynuserError =>
    new DynuserError('HostFailed', `${program} cannot change the rules for packets: ${reason}`, {}, cause);
  return await new Promise((resolve, reject) => {
    const child = spawn(program, arguments_, {
      env: { LC_ALL: 'C' },
      cwd: '/',
      stdio: 'pipe',
      timeout: DEADLINE_MS,
      killSignal: 'SIGKILL',
    });
    let output = '';
    let message = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.length > OUTPUT_BYTES_MAX) {
        child.kill('SIGKILL');
      }
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      message = `${message}${text}`.slice(0, MESSAGE_MAX);
    });
    // EPIPE: how it ends tells more.
    child.stdin?.on('error', () => {});
    child.on('error', error => reject(fail(reasonOf(error), error)));
    child.on('close', (code, signal) => {
      if (code === 0) {
        resolve(output);
        return;
      }
      const said = message.split('\n')[0]?.replace(/^.*?Error: /, '');
      reject(fail(said || (signal === null ? `exit status ${code}` : `it was ended by ${signal}`)));
    });
    child.stdin?.end(input);
  });
}
