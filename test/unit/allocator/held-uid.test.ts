/** A UID that is held while something is waited for: others may change accounts if that takes long. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeldUid } from '../../../src/allocator/held-uid.ts';
import { until } from '../../support/until.ts';
import { uid, userName } from './fakes.ts';
import { buildUseCases } from './use-cases.ts';

const LONG_MS = 60_000;

test('what ends in time has the account files locked from the look at the UID on', async () => {
  const cases = buildUseCases('61184-61190');
  const { accounts } = cases;
  using held = new HeldUid(cases, uid(61_184), userName('web'));
  await held.lockAccounts();
  const { result, wasUnlocked } = await held.lockedAtMost(LONG_MS, async () => accounts.holders);
  assert.deepEqual({ result, wasUnlocked, after: accounts.holders }, { result: 1, wasUnlocked: false, after: 1 });
});

test('what takes longer lets others change accounts, and says so', async () => {
  const cases = buildUseCases('61184-61190');
  const { accounts } = cases;
  using held = new HeldUid(cases, uid(61_184), userName('web'));
  await held.lockAccounts();
  const { wasUnlocked } = await held.lockedAtMost(1, () => until('they are unlocked', () => accounts.holders === 0));
  assert.equal(wasUnlocked, true);
  await held.lockAccounts();
  assert.equal(accounts.holders, 1);
});
