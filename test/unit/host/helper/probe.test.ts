/**
 * What the helper is asked about names and UIDs, and how what went wrong is put into words. The helper is a shell script; the
 * sources of a real one are in integration/host.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, it } from 'node:test';
import type { ErrorCode } from '../../../../src/core/errors.ts';
import { asGid, asUid, type Uid } from '../../../../src/core/ids.ts';
import { parseUserName } from '../../../../src/core/name.ts';
import { ACQUIRING_LIMITS, type PoolLimits } from '../../../../src/host/helper/pool.ts';
import { HelperProbe } from '../../../../src/host/helper/probe.ts';
import { until } from '../../../support/until.ts';

const parsed = parseUserName('httpd');
assert.ok('name' in parsed);
const NAME = parsed.name;
const UID = uid(61_184);
const OTHER = uid(61_185);
const GID = asGid(60) ?? assert.fail();
const PATIENT_MS = 10_000;
const SSHD = { kind: 'process', pid: 42, command: 'sshd', as: 'user' };

function uid(number: number): Uid {
  return asUid(number) ?? assert.fail();
}

interface Options {
  readonly deadlineMs?: number | (() => number);
  readonly limits?: PoolLimits;
}

interface Asked {
  readonly probe: HelperProbe;
  /** the lines that the helpers got */
  lines(): readonly string[];
  /** of whom gifts were removed */
  readonly gifts: readonly Uid[];
  /** makes the file that a script waits for by `go` */
  go(): void;
}

/** @param cases what a shell `case` makes of each line; others are answered as if nothing were in use */
async function withHelper(
  cases: string,
  use: (asked: Asked) => Promise<void>,
  { deadlineMs = PATIENT_MS, limits = ACQUIRING_LIMITS }: Options = {},
): Promise<void> {
  const directory = mkdtempSync(`${tmpdir()}/dynuser-probe-`);
  const usual =
    '"name "*";"*) echo "account - -; free; free";; "name "*) echo "account - -";; running*) echo running;; *) echo free;;';
  const script = `go() { while ! [ -e ${directory}/go ]; do sleep 0.01; done; }
    while read -r line; do echo "$line" >>${directory}/log; case "$line" in ${cases} ${usual} esac; done`;
  const gifts: Uid[] = [];
  const probe = new HelperProbe(
    ['/bin/sh', '-c', script],
    typeof deadlineMs === 'number' ? () => deadlineMs : deadlineMs,
    limits,
    async of => void gifts.push(of),
  );
  const log = `${directory}/log`;
  try {
    await use({
      probe,
      lines: () => (existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n') : []),
      gifts,
      go: () => writeFileSync(`${directory}/go`, ''),
    });
  } finally {
    await probe.close();
    rmSync(directory, { recursive: true });
  }
}

describe('a name', () => {
  it('is a user, a group, both or nothing', () =>
    withHelper('"name httpd") echo "account 5:60 -";;', async ({ probe, lines }) => {
      assert.deepEqual(await probe.account(NAME), { user: { uid: 5, gid: 60 } });
      assert.deepEqual(lines(), ['name httpd']);
    }));

  it('of a group has its GID, and one that is too long for a name is not asked for', () =>
    withHelper('"name games") echo "account 5:60 20";;', async ({ probe, lines }) => {
      assert.equal(await probe.group('games'), 20);
      assert.equal(await probe.group('none'), undefined);
      const longest = 'x'.repeat(255);
      assert.equal(await probe.group(longest), undefined);
      assert.equal(await probe.group(`${longest}x`), undefined);
      assert.equal(await probe.group('ä'.repeat(128)), undefined);
      assert.deepEqual(lines(), ['name games', 'name none', `name ${longest}`]);
    }));

  it('of a user has a home and a shell, or is not there', () =>
    withHelper('"login httpd") echo "login /srv /bin/sh";;', async ({ probe }) => {
      assert.deepEqual(await probe.login(NAME), { home: '/srv', shell: '/bin/sh' });
    }));

  it('of a user has groups, which are asked for until there are no more', () => {
    const full = Array.from({ length: 512 }, (_, index) => 100 + index);
    const cases = `"groups httpd 60 0") echo "groups ${full.join(' ')}";; "groups httpd 60 612") echo "groups 700 4711";;`;
    return withHelper(cases, async ({ probe, lines }) => {
      assert.deepEqual(await probe.memberships(NAME, GID), [...full, 700, 4_711]);
      assert.deepEqual(lines(), ['groups httpd 60 0', 'groups httpd 60 612']);
    });
  });

  it('of a user has its own group alone if that is what is said', () =>
    withHelper('groups*) echo "groups 60";;', async ({ probe, lines }) => {
      assert.deepEqual(await probe.memberships(NAME, GID), [60]);
      assert.equal(lines().length, 1);
    }));
});

describe('a UID', () => {
  it('is free if nobody has it and nothing runs with it', () =>
    withHelper('', async ({ probe, lines }) => {
      assert.equal(await probe.evidence(UID), undefined);
      assert.deepEqual([...lines()].sort(), ['owner 61184', 'running 61184']);
    }));

  it('is in use by an account, whatever runs', () =>
    withHelper('owner*) echo "user games";; running*) echo "running 61184";;', async ({ probe, lines }) => {
      assert.deepEqual(await probe.evidence(UID), { kind: 'user', name: 'games' });
      assert.equal(lines().length, 2, 'the process is of no interest');
    }));

  it('is in use by a process, which is named', () =>
    withHelper('running*) echo "running 61184";; process*) echo "process 42 sshd user";;', async ({ probe, lines }) => {
      assert.deepEqual(await probe.evidence(UID), SSHD);
      assert.equal(lines().at(-1), 'process 61184');
    }));

  it('is free if the process has ended meanwhile', () =>
    withHelper('running*) echo "running 61184";;', async ({ probe }) => {
      assert.equal(await probe.evidence(UID), undefined);
    }));

  it('is looked at more closely if the scan failed', () =>
    withHelper('running*) echo "error /proc 24";; process*) echo "process 42 sshd user";;', async ({ probe }) =>
      assert.deepEqual(await probe.evidence(UID), SSHD),
    ));

  it('loses what strangers gave to it when it is taken, and only if it is free', () =>
    withHelper(
      '"owner 61184") echo given;; "owner 61185") echo "user games";; "owner 61186") echo given;; "running 61186") echo "running 61186";; process*) echo "process 42 sshd user";;',
      async ({ probe, gifts }) => {
        assert.equal(await probe.evidence(UID), undefined);
        assert.deepEqual(gifts, [], 'who merely looks changes nothing');
        assert.equal(await probe.take(UID), undefined);
        assert.deepEqual(gifts, [UID]);
        assert.deepEqual(await probe.take(OTHER), { kind: 'user', name: 'games' });
        assert.deepEqual(await probe.take(uid(61_186)), SSHD);
        assert.equal(await probe.take(uid(61_187)), undefined);
        assert.deepEqual(gifts, [UID]);
      },
    ));
});

describe('a check of a name and a UID', () => {
  const LINE = 'name httpd; owner 61184; process 61184';

  it('is one line if it is alone, again and again, also after one that failed', () =>
    withHelper('*61185) echo "error getpwuid_r 5";;', async ({ probe, lines }) => {
      const free = { account: {}, evidence: undefined };
      assert.deepEqual(await probe.check(NAME, UID), free);
      await assert.rejects(probe.check(NAME, OTHER), { code: 'ProbeFailed' });
      assert.deepEqual(await probe.check(NAME, UID, 'look'), free);
      assert.deepEqual(lines(), [LINE, LINE.replaceAll('61184', '61185'), LINE]);
    }));

  const ALONE: readonly (readonly [line: string, account: object, evidence: object | undefined])[] = [
    ['account 5:60 -', { user: { uid: 5, gid: 60 } }, undefined],
    ['account - 20', { group: { gid: 20 } }, undefined],
    ['account - -; ipc sysv-sem 7', {}, { kind: 'ipc', object: 'sysv-sem', id: '7' }],
    ['account - -; free; process 42 sshd user', {}, SSHD],
    ['account - -; free; free', {}, undefined],
  ];
  for (const [line, account, evidence] of ALONE) {
    it(`says what "${line}" says`, () =>
      withHelper(`*) echo "${line}";;`, async ({ probe, lines }) => {
        assert.deepEqual(await probe.check(NAME, UID), { account, evidence });
        assert.deepEqual(lines(), [LINE]);
      }));
  }

  it('shares one scan with others if it is not alone, and finds the same', () =>
    withHelper(
      '*"; process"*) go; echo "account - -; free; free";; *"owner 61186") echo "account 5:60 -";; *"owner 61187") echo "account - -; user games";; name*";"*) echo "account - -; free";; running*) echo "running 61185 61186 61187" | grep -o "running\\( $(echo "$line" | sed "s/running //; s/,/\\\\\\\\| /g")\\)*" || echo running;; process*) echo "process 42 sshd user";;',
      async ({ probe, lines, go }) => {
        const alone = probe.check(NAME, UID);
        await until('the first is asked', () => lines().length > 0);
        const others = [61_185, 61_186, 61_187, 61_188].map(number => probe.check(NAME, uid(number)));
        const [running, known, owned, free] = await Promise.all(others);
        go();
        assert.deepEqual(await alone, { account: {}, evidence: undefined });
        assert.deepEqual(running, { account: {}, evidence: SSHD });
        assert.deepEqual(known, { account: { user: { uid: 5, gid: 60 } }, evidence: undefined });
        assert.deepEqual(owned, { account: {}, evidence: { kind: 'user', name: 'games' } });
        assert.deepEqual(free, { account: {}, evidence: undefined });
        const asked = lines();
        assert.ok(asked.includes('name httpd; owner 61185'));
        assert.deepEqual(
          asked.filter(line => line.startsWith('process')),
          ['process 61185'],
          'of the others it is of no interest which process runs',
        );
        assert.ok(asked.filter(line => line.startsWith('running')).length < others.length);
      },
    ));

  it('removes what strangers gave to the UID if both are free and are to be taken', () =>
    withHelper(
      '"name httpd; owner 61184"*) echo "account - -; given; free";; "name httpd; owner 61185"*) echo "account - -; given; process 42 sshd user";; *) echo "account 5:60 -";;',
      async ({ probe, gifts }) => {
        await probe.check(NAME, UID, 'look');
        await probe.check(NAME, OTHER);
        await probe.check(NAME, uid(61_186));
        assert.deepEqual(gifts, []);
        await probe.check(NAME, UID, 'take');
        await probe.check(NAME, UID);
        assert.deepEqual(gifts, [UID, UID]);
      },
    ));
});

describe('trouble', () => {
  const SOURCES = 'check the sources in /etc/nsswitch.conf';
  const REFUSALS: readonly (readonly [answer: string, message: string])[] = [
    ['error getpwnam_r 5', `getpwnam_r failed when asked for the user "httpd": i/o error (EIO); ${SOURCES}`],
    ['error getgrgid_r 5', `getgrgid_r failed when asked for the user "httpd": i/o error (EIO); ${SOURCES}`],
    [
      'error /etc/nsswitch.conf 22',
      `/etc/nsswitch.conf failed when asked for the user "httpd": invalid argument (EINVAL); ${SOURCES}`,
    ],
    [
      'error io.systemd.DynamicUser 110',
      'io.systemd.DynamicUser failed when asked for the user "httpd": connection timed out (ETIMEDOUT); look at who serves /run/systemd/userdb/io.systemd.DynamicUser: varlinkctl info asks it',
    ],
    ['error /proc 24', '/proc failed when asked for the user "httpd": too many open files (EMFILE)'],
    ['error getrandom 999', 'getrandom failed when asked for the user "httpd": error 999'],
    [
      'error processes 11',
      'cannot tell whether the user "httpd" is free: processes start and end faster than they can be read; find what forks without end, and limit it (TasksMax=)',
    ],
    ['nonsense', `the helper process gave an invalid answer when asked for the user "httpd"; ${SOURCES}`],
  ];
  for (const [answer, message] of REFUSALS) {
    it(`is told of: ${answer}`, () =>
      withHelper(`*) echo "${answer}";;`, ({ probe }) =>
        assert.rejects(probe.account(NAME), { code: 'ProbeFailed', message }),
      ));
  }

  it('names what the question was about, once', () =>
    withHelper('*) exit 3;;', async ({ probe }) => {
      const message = `the helper process exited with status 3 when asked for the user "httpd" and UID 61184; ${SOURCES}`;
      await assert.rejects(probe.check(NAME, UID), { code: 'ProbeFailed', message });
    }));

  it('is told of where a source is slow, and of where the others before it are', () => {
    let deadlineMs = PATIENT_MS;
    return withHelper(
      '"name first") echo "account - -";; *) exec sleep 60;;',
      async ({ probe }) => {
        // To start a helper may take long: then the second question would come much later than the first.
        await probe.group('first');
        deadlineMs = 500;
        const [first, second] = [probe.account(NAME), probe.group('games')];
        await assert.rejects(first, {
          code: 'ProbeFailed',
          message: `NSS did not answer within 0.5 s when asked for the user "httpd"; ${SOURCES}`,
        });
        await assert.rejects(second, {
          code: 'ProbeFailed',
          message: `the group "games" was not asked for within 0.5 s: NSS is too slow for all that is asked; ${SOURCES}`,
        });
      },
      { deadlineMs: () => deadlineMs, limits: { ...ACQUIRING_LIMITS, helpers: 1 } },
    );
  });

  it('is told of where dynuserd stops', () =>
    withHelper('*) exec sleep 60;;', async ({ probe }) => {
      const asked = assert.rejects(probe.account(NAME), {
        code: 'ProbeFailed',
        message: 'the user "httpd" was not asked for: dynuserd is stopping',
      });
      await probe.close();
      await asked;
    }));

  it('is told of where one user, or all, ask for too much; each question is of who asks it', () =>
    withHelper(
      '*) go; echo free;;',
      async ({ probe, go }) => {
        const limit = (message: string): { code: ErrorCode; message: string } => ({ code: 'LimitReached', message });
        const guest = probe.for({ uid: uid(1_000), isRoot: false });
        const full =
          'the user 1000 waits for the answers to 1 questions about this host already; try again when one has come';
        const first = assert.rejects(guest.account(NAME));
        await assert.rejects(guest.account(NAME), limit(full));
        await assert.rejects(guest.evidence(UID), limit(full));
        await assert.rejects(guest.take(UID), limit(full));
        await assert.rejects(guest.check(NAME, UID), limit(full));
        const all = limit('2 questions wait for the helper processes; try again later');
        const waiting = [1, 2, 3].map(() => assert.rejects(probe.account(NAME)));
        await assert.rejects(probe.account(NAME), all);
        go();
        await Promise.all([first, ...waiting]);
      },
      { limits: { helpers: 2, helpersOfOthers: 1, waiting: 2, questionsPerUid: 1 } },
    ));
});
