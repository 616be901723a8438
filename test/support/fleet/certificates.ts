/** A certificate authority that lives as long as a test, and what it signs. openssl(1) makes all of it. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** A certificate and its key, as PEM. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateOptions {
  /** of a server: where it is reached */
  readonly addresses?: readonly string[];
  /** when it is valid; as the authority is unless given */
  readonly from?: Date;
  readonly until?: Date;
}

type Times = Required<Pick<CertificateOptions, 'from' | 'until'>>;

const DAY_MS = 86_400_000;

export class CertificateAuthority {
  /** how long before and after now a certificate is valid that does not say when it is */
  readonly #validMs: number;
  readonly #own: Certificate;

  constructor(validDays = 1) {
    this.#validMs = validDays * DAY_MS;
    this.#own = make('dynuser test authority', this.#times({}), () => []);
  }

  /** the certificate of the authority, as PEM */
  get certificate(): string {
    return this.#own.certificate;
  }

  /** @param name the common name, by which etcd knows a client */
  issue(name: string, options: CertificateOptions = {}): Certificate {
    const { addresses = [] } = options;
    const extensions = [
      'basicConstraints=critical,CA:FALSE',
      `extendedKeyUsage=clientAuth${addresses.length > 0 ? ',serverAuth' : ''}`,
      ...(addresses.length > 0 ? [`subjectAltName=${addresses.map(address => `IP:${address}`).join(',')}`] : []),
    ];
    return make(name, this.#times(options), directory => {
      writeFileSync(`${directory}/ca.pem`, this.#own.certificate);
      writeFileSync(`${directory}/ca-key.pem`, this.#own.key, { mode: 0o600 });
      const signer = ['-CA', `${directory}/ca.pem`, '-CAkey', `${directory}/ca-key.pem`];
      return [...signer, ...extensions.flatMap(each => ['-addext', each])];
    });
  }

  #times({ from, until }: CertificateOptions): Times {
    const now = Date.now();
    return { from: from ?? new Date(now - this.#validMs), until: until ?? new Date(now + this.#validMs) };
  }
}

/** @param more gives further arguments, and writes the files that they name */
function make(name: string, { from, until }: Times, more: (directory: string) => readonly string[]): Certificate {
  const directory = mkdtempSync(`${tmpdir()}/dynuser-authority.`);
  const [certificate, key] = [`${directory}/certificate.pem`, `${directory}/key.pem`] as const;
  const kind = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-noenc',
    '-keyout',
    key,
    '-out',
    certificate,
  ];
  const begin = ['-not_before', asn1Time(from)];
  const end = ['-not_after', asn1Time(until)];
  try {
    const argv = ['req', '-x509', ...kind, '-subj', `/CN=${name}`, ...begin, ...end, ...more(directory)];
    execFileSync('openssl', argv, { stdio: ['ignore', 'ignore', 'pipe'] });
    return { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** @returns the time as openssl(1) takes it: YYYYMMDDHHMMSSZ */
function asn1Time(time: Date): string {
  return time.toISOString().replace(/[-:T]|\.\d+/g, '');
}
