import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OutputBudget } from '../../../src/varlink/output-budget.ts';

test('whoever has the most pays, whoever went past the end', () => {
  const budget = new OutputBudget<string>(100);
  assert.equal(budget.account('greedy', 60), undefined);
  assert.equal(budget.account('modest', 40), undefined);
  assert.equal(budget.account('modest', 41), 'greedy');
  assert.equal(budget.account('greedy', 0), undefined);
  assert.equal(budget.account('other', 59), undefined);
  assert.equal(budget.account('other', 60), 'other');
});

test('an account is what waits now, not what ever did', () => {
  const budget = new OutputBudget<string>(100);
  for (let round = 0; round < 1_000; round++) {
    assert.equal(budget.account('a', 90), undefined);
    assert.equal(budget.account('a', 0), undefined);
    assert.equal(budget.account('a', 0), undefined);
  }
});
