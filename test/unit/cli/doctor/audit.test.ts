/** What doctor says of audit records: never a problem, since a container has none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkAudit } from '../../../../src/cli/doctor/checks/audit.ts';
import { fakeHost } from './fake-host.ts';

const MAP = '         0          0 4294967295\n';
const said = (texts: Readonly<Record<string, string>>, pid: number | undefined = 7): string[] => {
  const files = Object.fromEntries(Object.entries(texts).map(([name, text]) => [`/proc/7/${name}`, text]));
  return checkAudit(fakeHost({ texts: files }), pid).map(({ level, finding }) => `${level}: ${finding}`);
};
const status = (capabilities: string) => `Name:\tnode\nCapEff:\t${capabilities}\n`;

test('says whether the kernel takes records of the daemon, and why not', () => {
  const all = { loginuid: '0', uid_map: MAP, status: status('000001ffffffffff') };
  assert.match(said(all).join(), /^ok: users that come and go are told to the kernel/);
  assert.match(said({ ...all, status: status('000001ffdfffffff') }).join(), /^ok: .* lacks CAP_AUDIT_WRITE/);
  assert.match(said({ ...all, uid_map: '0 100000 65536\n' }).join(), /^ok: .* user namespace/);
  assert.match(said({ uid_map: MAP, status: status('0000000000000000') }).join(), /^ok: this kernel has no audit/);
  assert.match(said({ loginuid: '0' }).join(), /^unknown: \/proc\/7 does not say/);
  assert.match(
    checkAudit(fakeHost({}), undefined)
      .map(({ level }) => level)
      .join(),
    /^unknown/,
  );
});
