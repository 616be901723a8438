/** During an upgrade: the launcher of a former release with this daemon, and the daemon of one with this launcher. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';
import { isJsonArray, isJsonObject, type Json } from '../../../src/varlink/json.ts';
import { withInstalled } from '../../support/installed.ts';
import { RELEASES, recordedLaunches } from '../../support/release-record.ts';
import { readSource } from '../../support/sources.ts';
import { LauncherHost } from './fake-daemon.ts';

const VERSIONS = readdirSync(CHECKOUT + RELEASES).flatMap(name => /^(.*)\.json$/.exec(name)?.[1] ?? []);

/** What a launcher knows of plans: it takes no other field and no other word for what it can do. */
class Known {
  readonly #types = new Map<string, string>();
  readonly #words = new Set<string>();

  constructor(version: string) {
    for (const line of readSource(`${RELEASES}/${version}.wire`).trim().split('\n')) {
      const [, place = '', type] = /^(\S+): \??((?:\[\w*\])*\w+)/.exec(line) ?? [];
      if (type === undefined) {
        this.#words.add(line);
      } else {
        this.#types.set(place, type.replace(/^(?:\[\w*\])+/, ''));
      }
    }
  }

  /** @returns the places of a value that the launcher does not know */
  unknown(value: Json, type: string): string[] {
    if (isJsonArray(value)) {
      return value.flatMap(each => this.unknown(each, type));
    }
    if (isJsonObject(value)) {
      return Object.entries(value).flatMap(([name, inner]) => {
        const field = `${type}.${name}`;
        const known = this.#types.get(field);
        return known === undefined ? [field] : this.unknown(inner, /^(?:enum|struct)$/.test(known) ? field : known);
      });
    }
    return this.#isEnum(type) && !this.#words.has(`${type} = ${value}`) ? [`${type} = ${value}`] : [];
  }

  #isEnum(owner: string): boolean {
    return [...this.#words].some(word => word.startsWith(`${owner} = `));
  }
}

for (const version of VERSIONS) {
  describe(`version ${version}`, () => {
    const launches = Object.entries(recordedLaunches(version));

    it('its launcher is answered, and knows all that the plan asks of it', async () => {
      await withInstalled({}, async host => {
        await host.startDaemon();
        for (const [name, { request }] of launches) {
          const [result] = await host.calls([['io.dynuser.Allocator.Launch', request]]);
          const reply = result !== undefined && 'reply' in result ? result.reply : assert.fail(JSON.stringify(result));
          const plan = reply['plan'] as Json | undefined;
          assert.ok(isJsonObject(plan), `${name}: ${JSON.stringify(reply)}`);
          assert.deepEqual(new Known(version).unknown(plan, 'LaunchPlan'), [], name);
        }
      });
    });

    it('the plan of its daemon is carried out', {
      skip: process.arch === 'x64' ? false : 'the filter in it is for x86-64',
    }, async () => {
      const host = await LauncherHost.boot();
      try {
        for (const [name, { argv, plan }] of launches) {
          host.answer = () => ({ plan });
          const { status, stdout, stderr } = await host.launch(argv);
          assert.deepEqual([status, stdout, stderr], [0, `${plan.uid}\n`, ''], name);
        }
      } finally {
        await host.stop();
      }
    });
  });
}

it('what a former launcher does not know is found', () => {
  const known = new Known(VERSIONS[0] ?? assert.fail());
  const plan = { uid: 1, mountOps: [{ kind: 'attach', set: ['noSuid'], other: 1 }, { kind: 'erase' }], also: true };
  assert.deepEqual(known.unknown(plan, 'LaunchPlan'), ['MountOp.other', 'MountOp.kind = erase', 'LaunchPlan.also']);
});
