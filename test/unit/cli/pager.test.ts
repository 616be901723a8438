import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choosePager, page } from '../../../src/cli/pager.ts';

test('the pager is that of our own variable, then PAGER, then what hosts usually have', () => {
  const programs = (environment: Record<string, string>) => choosePager(environment, true)?.programs;
  assert.deepEqual(programs({}), [['pager'], ['less'], ['more']]);
  assert.deepEqual(programs({ PAGER: 'most -w' })?.[0], ['most', '-w']);
  assert.deepEqual(programs({ PAGER: 'most', DYNUSER_PAGER: ' less  -S ' })?.[0], ['less', '-S']);
});

test('none is wanted: an empty variable, cat, or a terminal that can show none', () => {
  for (const [name, value] of [
    ['PAGER', ''],
    ['DYNUSER_PAGER', 'cat'],
    ['DYNUSER_PAGER', ' '],
    ['TERM', 'dumb'],
  ] as const) {
    assert.equal(choosePager({ LANG: 'C', [name]: value }, true), undefined);
  }
});

test('who has not logged in as this user gets no way to a shell', () => {
  const choice = choosePager({ PAGER: 'vim -', DYNUSER_LESS: 'F' }, false);
  assert.deepEqual(choice?.programs, [['less']]);
  assert.deepEqual([choice?.environment['LESSSECURE'], choice?.environment['LESS']], ['1', 'F']);
  assert.deepEqual(choosePager({ PAGER: '/usr/bin/less -S' }, false)?.programs, [['/usr/bin/less', '-S'], ['less']]);
  const trusted = choosePager({ PAGER: 'vim -', DYNUSER_PAGERSECURE: '0', LESSSECURE: '1' }, false);
  assert.deepEqual([trusted?.programs[0], trusted?.environment['LESSSECURE']], [['vim', '-'], undefined]);
  assert.deepEqual(choosePager({ DYNUSER_PAGERSECURE: '1' }, true)?.programs, [['less']]);
  assert.equal(choosePager({}, true)?.environment['LESS'], 'FRSXMK');
});

test('a pager that is not there is passed over; one that is left early is not a failure', async () => {
  const environment = process.env;
  const missing = '/no/such/pager';
  assert.equal(await page('text', { programs: [[missing]], environment }), false);
  assert.equal(await page('x'.repeat(1_000_000), { programs: [[missing], ['true'], ['false']], environment }), true);
});
