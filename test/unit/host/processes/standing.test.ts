/** How root of this host is told from others with its number, by what /proc says. What real namespaces do is in integration/daemon/roots. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseCapabilities, parseRootMount } from '../../../../src/host/processes/standing.ts';

describe('proc_pid_mountinfo(5)', () => {
  const ROOT = '27 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw';
  const OTHER = '28 27 0:21 / /proc rw - proc proc rw';

  it('says which directory of which file system is the root', () => {
    assert.equal(parseRootMount(`${OTHER}\n${ROOT}\n`), '8:1 /');
    assert.equal(parseRootMount('31 2 8:1 /machines/one / rw - ext4 /dev/sda1 rw\n'), '8:1 /machines/one');
  });

  it('has the root that was mounted last, over another', () => {
    assert.equal(parseRootMount(`${ROOT}\n40 27 0:50 / / rw - overlay overlay rw\n`), '0:50 /');
  });

  for (const [what, text] of [
    ['a chroot', `${OTHER}\n`],
    ['two that have nothing to do with each other', `${ROOT}\n41 2 0:51 / / rw - tmpfs tmpfs rw\n`],
    ['nothing', ''],
  ] as const) {
    it(`has no root for ${what}`, () => assert.equal(parseRootMount(text), undefined));
  }
});

describe('capabilities of proc_pid_status(5)', () => {
  it('are the effective ones', () => {
    const text = 'Name:\tCapEff:\\n\nCapPrm:\t000001ffffffffff\nCapEff:\t0000000000000003\nCapBnd:\t000001ffffffffff\n';
    assert.equal(parseCapabilities(text), 3n);
  });

  for (const text of ['', 'CapEff:\t3\n', 'xCapEff:\t0000000000000003\n']) {
    it(`are not ${JSON.stringify(text)}`, () => assert.throws(() => parseCapabilities(text), TypeError));
  }
});
