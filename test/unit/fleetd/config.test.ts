/** fleetd.conf: what it may say, and what is said of everything else. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfigError, parseConfig } from '../../../src/fleetd/config.ts';

const PATH = '/etc/dynuser/fleetd.conf';
const read = (text: string, credentials?: string) => parseConfig(text, PATH, credentials);

describe('fleetd.conf', () => {
  it('names a fleet and a directory', () => {
    assert.deepEqual(read('# ours\n\nFleet=prod-1\nStore = /srv/shared/registry/\n'), {
      fleet: 'prod-1',
      store: { kind: 'directory', path: '/srv/shared/registry' },
    });
  });

  it('names a fleet and nodes of etcd, with files by their paths or credentials by their names', () => {
    const text =
      'Fleet=prod\nEndpoints=https://a:2379 https://[fd00::1]:2379\nCertificateFile=cert\nKeyFile=/etc/key.pem\n';
    assert.deepEqual(read(text, '/run/credentials/x'), {
      fleet: 'prod',
      store: {
        kind: 'etcd',
        endpoints: ['https://a:2379', 'https://[fd00::1]:2379'],
        ...{ certificateFile: '/run/credentials/x/cert', keyFile: '/etc/key.pem', caFile: undefined },
      },
    });
  });

  it('says what is wrong, and in which line', () => {
    const etcd = 'Fleet=f\nEndpoints=https://a:2379\n';
    const wrong: readonly [text: string, reason: RegExp][] = [
      ['Store=/a\n', /^\/etc\/dynuser\/fleetd\.conf: Fleet=: it must be the name/],
      ['Fleet=a b\nStore=/a\n', /fleetd\.conf:1: Fleet=: /],
      ['Fleet=../a\nStore=/a\n', /fleetd\.conf:1: Fleet=: /],
      ['Fleet=f\nStore=consul\n', /fleetd\.conf:2: Store=: it must be etcd, or the absolute path/],
      ['Fleet=f\n', /fleetd\.conf: Endpoints=: it must be a URL/],
      ['Fleet=f\nEndpoints=a:2379\n', /fleetd\.conf:2: Endpoints=: "a:2379" must be a URL/],
      ['Fleet=f\nEndpoints=https://a/b\n', /must be a URL/],
      [`Fleet=f\nEndpoints=${'https://a '.repeat(17)}\n`, /there must be 1 to 16/],
      [`${etcd}CertificateFile=/c\n`, /fleetd\.conf:3: CertificateFile=: a certificate and its key belong together/],
      [`${etcd}KeyFile=/c\n`, /fleetd\.conf:3: KeyFile=: a certificate and its key/],
      [`${etcd}CaFile=ca\n`, /fleetd\.conf:3: CaFile=: it must be an absolute path, or the name of a credential/],
      ['Fleet=f\nStore=/a\nCaFile=/ca\n', /fleetd\.conf:3: CaFile=: a directory has none/],
      ['Fleet=f\nFleet=g\n', /fleetd\.conf:2: Fleet= is set twice/],
      ['Fleet=f\nfleet=g\n', /fleetd\.conf:2: "fleet=g" is not a setting; there are Fleet=, Store=/],
    ];
    for (const [text, reason] of wrong) {
      assert.throws(
        () => read(text),
        error => {
          assert.ok(error instanceof ConfigError);
          assert.match(error.message, reason);
          return true;
        },
        text,
      );
    }
    assert.throws(() => read(`${etcd}CaFile=../ca\n`, '/run/credentials/x'), /name of a credential/);
  });
});
