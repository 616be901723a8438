import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALLOCATOR_INTERFACE } from '../../../../src/api/generated/io-dynuser-allocator.ts';
import { planLaunch } from '../../../../src/launch/launch.ts';
import type { LaunchRequest, ResolvedLaunch } from '../../../../src/launch/plan/request.ts';
import { checkStruct, Mismatch } from '../../../../src/varlink/idl/check.ts';
import { parseInterface } from '../../../../src/varlink/idl/parse.ts';
import type { JsonObject } from '../../../../src/varlink/json.ts';
import { acquiredOf, resolvedOf, resolvedOfUnit, type World } from '../launches.ts';

const idl = parseInterface(ALLOCATOR_INTERFACE);
const BEST_EFFORT = { mayMount: false, isolation: 'bestEffort' } as const satisfies Partial<LaunchRequest>;
const WORLD: World = { directories: { '/a': [] } };

test('every plan has the fields that the interface declares, whatever its properties are', () => {
  const type = idl.types.get('LaunchPlan')?.type;
  assert.ok(type?.kind === 'struct');
  const launches: readonly ResolvedLaunch[] = [
    resolvedOf([]),
    resolvedOf(['DynamicUser=no']),
    resolvedOf([], { untrusted: true }),
    resolvedOf(['PrivateUsers=yes', 'PrivateNetwork=yes', 'PrivateIPC=yes'], BEST_EFFORT),
    resolvedOf(['RootDirectory=/srv', 'WorkingDirectory=-/x', 'SupplementaryGroups=a b a', 'BindPaths=/a'], {}, WORLD),
    resolvedOfUnit(['ExecStartPre=-+/p', 'ExecStart=/x a b', 'PrivateDevices=yes', 'TemporaryFileSystem=/y']),
  ];
  for (const launch of launches) {
    const checked = checkStruct(idl, type, planLaunch(launch, acquiredOf()) as unknown as JsonObject);
    assert.ok(!(checked instanceof Mismatch), JSON.stringify(checked));
  }
});
