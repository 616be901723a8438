/** dynuserctl history over files that are made by hand: which question gets which answer, in which order, and what it is warned of. */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { localTime } from '../../../src/cli/render/time.ts';
import { encodeRecord, segmentName, type UserKind } from '../../../src/history/format.ts';
import { type CommandOptions, type Outcome, runCommand } from './run-command.ts';

const NOON = Date.UTC(2026, 10, 28, 12);
const at = (minute: number): number => NOON + minute * 60_000;
const shown = (minute: number): string => localTime(at(minute) * 1_000);
/** As an option has it. */
const time = (minute: number): string => new Date(at(minute)).toISOString();

let top = '';
let directory = '';
beforeEach(() => {
  top = mkdtempSync(`${tmpdir()}/dynuser-history-verb-`);
  directory = `${top}/history`;
});
afterEach(() => rmSync(top, { recursive: true }));

type Happening = readonly [minute: number, kind: UserKind, uid: number, name: string, since?: number];

const SEGMENT = segmentName(1, at(0), false);

function write(...happenings: readonly Happening[]): void {
  const lines = happenings.map(([minute, kind, uid, name, since = minute]) => {
    const span = { uid, name, unit: `${name}.service`, owner: 7, since: at(since) };
    return encodeRecord({ kind, time: at(minute), uptime: 1, span });
  });
  const format = encodeRecord({ kind: 'format', time: at(0), uptime: 1, text: 'version=1' });
  mkdirSync(directory);
  writeFileSync(`${directory}/${SEGMENT}`, Buffer.concat([format, ...lines]));
}

/** web and mail begin at once, and have ended; then mail has the UID of web; late has lost its own, and gone has ended unseen. */
function writeSome(): void {
  write(
    [1, 'begin', 61_185, 'mail'],
    [1, 'begin', 61_184, 'web'],
    [3, 'end', 61_184, 'web', 1],
    [4, 'end', 61_185, 'mail', 1],
    [5, 'begin', 61_184, 'mail'],
    [6, 'begin', 61_186, 'late'],
    [7, 'lost', 61_186, 'late', 6],
    [7, 'begin', 61_187, 'gone'],
    [9, 'gone', 61_187, 'gone', 7],
  );
}

const history = (argv: readonly string[] = [], options: Partial<CommandOptions> = {}): Promise<Outcome> =>
  runCommand(['history', ...argv], {
    environment: { DYNUSER_HISTORY_DIRECTORY: directory },
    now: at(60),
    ...options,
  });

/** @returns of each user its name and its time in minutes, such as "web 1-3"; and what was said */
async function found(...argv: readonly string[]): Promise<readonly [users: string[], status: number, said: string]> {
  const { status, output, errors } = await history(['--json=short', ...argv]);
  const entries: { userName: string; since: number; until?: number; end?: string }[] =
    output === '' ? [] : JSON.parse(output);
  const minute = (microseconds: number): number => (microseconds / 1_000 - NOON) / 60_000;
  const words = entries.map(
    ({ userName, since, until, end }) =>
      `${userName} ${minute(since)}-${until === undefined ? '' : minute(until)}${end === undefined ? '' : ` ${end}`}`,
  );
  return [words, status, errors];
}

describe('the history', () => {
  it('has all users, the oldest first, and of those of one moment the lowest UID', async () => {
    writeSome();
    assert.deepEqual(await found(), [['web 1-3', 'mail 1-4', 'mail 5-', 'late 6-7 lost', 'gone 7-9 unseen'], 0, '']);
    const { status, output, errors } = await history();
    const lines = output.split('\n');
    assert.deepEqual([status, errors], [0, '']);
    assert.match(lines[0] ?? '', /^ *UID +NAME +UNIT +SINCE +UNTIL +BY$/);
    const cells = (line: string): string => line.trim().replaceAll(/ +/g, ' ');
    assert.deepEqual(lines.slice(1, 6).map(cells), [
      `61184 web web.service ${shown(1)} ${shown(3)} 7`,
      `61185 mail mail.service ${shown(1)} ${shown(4)} 7`,
      `61184 mail mail.service ${shown(5)} now 7`,
      `61186 late late.service ${shown(6)} ${shown(7)} (lost) 7`,
      `61187 gone gone.service ${shown(7)} before ${shown(9)} 7`,
    ]);
    const json = JSON.parse((await history(['--json=short', 'web'])).output);
    assert.deepEqual(json, [
      { uid: 61_184, userName: 'web', unit: 'web.service', owner: 7, since: at(1) * 1_000, until: at(3) * 1_000 },
    ]);
  });

  it('is asked for a UID or a name, and what it does not know is a failure', async () => {
    writeSome();
    assert.deepEqual(await found('61184'), [['web 1-3', 'mail 5-'], 0, '']);
    assert.deepEqual(await found('mail'), [['mail 1-4', 'mail 5-'], 0, '']);
    assert.deepEqual((await found('nobody')).slice(0, 2), [[], 1]);
    assert.deepEqual((await found('61199')).slice(0, 2), [[], 1]);
    // No UID has so many digits.
    assert.deepEqual((await found('12345678901')).slice(0, 2), [[], 1]);
    const { status, output } = await history(['nobody']);
    assert.deepEqual([status, output], [1, 'The history has no such user.\n']);
  });

  it('is asked for a point in time, with the lowest UID first', async () => {
    writeSome();
    assert.deepEqual(await found(`--at=${time(2)}`), [['web 1-3', 'mail 1-4'], 0, '']);
    assert.deepEqual(await found(`--at=${time(2)}`, 'mail'), [['mail 1-4'], 0, '']);
    assert.deepEqual(await found(`--at=${time(6)}`, '61184'), [['mail 5-'], 0, '']);
    assert.deepEqual(await found(`--at=-55m`), [['mail 5-'], 0, ''], 'from now on');
  });

  it('is asked for what was from one time to another', async () => {
    writeSome();
    assert.deepEqual(await found(`--since=${time(5)}`, `--until=${time(6)}`), [['mail 5-', 'late 6-7 lost'], 0, '']);
    assert.deepEqual(await found(`--since=${time(8)}`), [['mail 5-', 'gone 7-9 unseen'], 0, '']);
    assert.deepEqual(await found(`--until=${time(2)}`, '61184'), [['web 1-3'], 0, '']);
  });

  it('is asked one question at a time', async () => {
    writeSome();
    const refused = async (words: string, ...argv: readonly string[]): Promise<void> => {
      const { status, output, errors } = await history(argv);
      const help = "Try 'dynuserctl history --help' for what there is.";
      assert.deepEqual([status, output, errors], [2, '', `dynuserctl: ${words}\n${help}\n`], argv.join(' '));
    };
    const file = '--file= says itself which UID and which time it is about: leave out the others';
    await refused(file, '--file=/etc/passwd', `--at=${time(1)}`);
    await refused(file, '--file=/etc/passwd', 'web');
    await refused(file, '--file=/etc/passwd', '61184');
    const point = '--at= is one point in time: leave out --since= and --until=';
    await refused(point, `--at=${time(1)}`, `--since=${time(1)}`);
    await refused(point, `--at=${time(1)}`, `--until=${time(1)}`);
    for (const name of ['at', 'since', 'until']) {
      await refused(
        `--${name}=: 'so\\x1bon' is not a point in time; write "2026-11-28 09:15", "2026-11-28T09:15:00Z", "@1764321300", "-2h", "yesterday" or "now"`,
        `--${name}=so\x1bon`,
      );
    }
  });

  it('says what it does not know', async () => {
    writeSome();
    const begins = `dynuserctl: the history begins ${shown(0)}; nothing is known of the time before\n`;
    assert.deepEqual(await found(`--at=${time(-1)}`), [[], 1, begins]);
    assert.deepEqual((await found(`--since=${time(-1)}`, 'web'))[2], begins);
    assert.deepEqual((await found(`--since=${time(0)}`, 'web'))[2], '');
    assert.deepEqual((await found(`--until=${time(-1)}`)).slice(1), [1, '']);
    const path = `${directory}/${SEGMENT}`;
    const bytes = readFileSync(path);
    bytes[192 + 90] = 0;
    writeFileSync(path, bytes);
    assert.deepEqual(await found('web'), [['web 1-3'], 0, '']);
    assert.deepEqual((await found())[2], 'dynuserctl: 1 lines of the history are damaged, and were skipped\n');
  });

  it('leaves out the oldest of very many, and says how many', async () => {
    write();
    const lines = (count: number): Buffer =>
      Buffer.concat(
        Array.from({ length: count }, (_, index) => {
          const span = { uid: 61_184, name: `n${index}`, unit: 'x.service', owner: 0, since: at(1) + index };
          return encodeRecord({ kind: 'end', time: at(1) + index, uptime: 1, span });
        }),
      );
    appendFileSync(`${directory}/${SEGMENT}`, lines(50_001));
    const [users, status, said] = await found();
    assert.deepEqual([users.length, users[0]?.split(' ')[0], status], [50_000, 'n1', 0]);
    assert.equal(said, 'dynuserctl: 1 older ones are left out; choose some with --since= and --until=\n');
  });

  it('that nobody can read says why', async () => {
    const refused = async (words: string): Promise<void> => {
      const { status, output, errors } = await history();
      assert.deepEqual([status, output, errors], [1, '', `dynuserctl: ${directory}: ${words}\n`]);
    };
    await refused("there is no history yet: dynuserd has not written any, or HistoryKeep=no; see 'dynuserctl doctor'");
    writeFileSync(directory, '');
    await refused('the history cannot be read (not a directory)');
    rmSync(directory);
    symlinkSync('history', directory);
    await refused('the history cannot be read (too many symbolic links encountered)');
    rmSync(directory);
  });
});

describe('a file that is left', () => {
  it('has the owner of when its inode was changed', async () => {
    const { uid, ctimeMs } = statSync(top);
    mkdirSync(directory);
    const stamp = { uptime: 1, time: ctimeMs - 60_000 };
    const span = { uid, name: 'whose', unit: 'x.service', owner: 0, since: stamp.time };
    const name = segmentName(1, stamp.time, false);
    const records = [
      encodeRecord({ kind: 'format', text: '', ...stamp }),
      encodeRecord({ kind: 'begin', span, ...stamp }),
    ];
    writeFileSync(`${directory}/${name}`, Buffer.concat(records));
    writeFileSync(`${top}/left`, '');
    assert.deepEqual(
      JSON.parse((await history(['--json=short', `--file=${top}/left`])).output).map(
        (each: { userName: string }) => each.userName,
      ),
      ['whose'],
    );
    // The link itself, and not what it leads to.
    symlinkSync('/nonexistent', `${top}/link`);
    assert.equal((await history([`--file=${top}/link`])).status, 0);
  });

  it('of nobody, or that is not there, is a failure', async () => {
    writeSome();
    const { uid, ctimeMs } = statSync(top);
    const own = await history([`--file=${top}`]);
    const when = localTime(statSync(top).ctimeMs * 1_000);
    assert.ok(ctimeMs <= statSync(top).ctimeMs);
    assert.deepEqual(
      [own.status, own.output, own.errors],
      [
        1,
        '',
        `dynuserctl: ${top} belongs to UID ${uid}, which no dynamic user had when its inode was changed (${when})\n`,
      ],
    );
    const none = await history([`--file=${top}/none`]);
    assert.deepEqual([none.status, none.errors], [1, `dynuserctl: ${top}/none: no such file or directory\n`]);
  });
});

describe('the page', () => {
  it('is written for its user alone, in the place of what was there', async () => {
    writeSome();
    writeFileSync(`${top}/other`, 'other');
    symlinkSync('other', `${top}/page.html`);
    const quiet = await history([`--html=${top}/page.html`]);
    assert.deepEqual([quiet.status, quiet.output, quiet.errors], [0, '', '']);
    assert.match(readFileSync(`${top}/page.html`, 'utf8'), /^<!doctype html>[\s\S]*"late"/i);
    assert.equal(readFileSync(`${top}/other`, 'utf8'), 'other');
    assert.equal(statSync(`${top}/page.html`).mode & 0o777, 0o600);
    const told = await history([`--html=${top}/page.html`], { columns: 80 });
    assert.equal(told.output, `Wrote ${top}/page.html, which only you can read.\n`);
    const printed = await history(['--html=-', 'web']);
    assert.match(printed.output, /^<!doctype html>/i);
    assert.doesNotMatch(printed.output, /"late"/);
    assert.deepEqual([printed.status, (await history(['--html=-', 'nobody'])).status], [0, 0]);
  });

  it('that cannot be written leaves nothing', async () => {
    writeSome();
    mkdirSync(`${top}/page.html`);
    const { status, output, errors } = await history([`--html=${top}/page.html`]);
    assert.deepEqual(
      [status, output, errors],
      [1, '', `dynuserctl: ${top}/page.html: illegal operation on a directory\n`],
    );
    assert.deepEqual(readdirSync(top).sort(), ['history', 'page.html']);
    const none = await history([`--html=${top}/none/page.html`]);
    assert.deepEqual([none.status, none.errors], [1, `dynuserctl: ${top}/none/page.html: no such file or directory\n`]);
  });
});
