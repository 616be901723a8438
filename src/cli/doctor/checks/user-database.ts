/** The link by which systemd's user database finds the daemon. */
import type { LinkState } from '../../host-lookups.ts';
import { type Finding, findingsOf } from '../finding.ts';

export function judgeUserDatabase(state: LinkState): Finding[] {
  const { ok, problem, warning, unknown } = findingsOf('User database');
  const where = '/run/systemd/userdb';
  switch (state) {
    case 'linked':
      return [ok(`the daemon's socket is linked in ${where}`)];
    case 'unused':
      return [ok('systemd has no user database on this host')];
    case 'missing':
      return [warning(`the daemon's socket is not linked in ${where}`, 'restart dynuserd, which makes the link')];
    case 'elsewhere':
      return [problem(`something else has the link's name in ${where}`, 'remove it and restart dynuserd')];
    case 'unreadable':
      return [unknown(`${where} cannot be read`)];
  }
}
