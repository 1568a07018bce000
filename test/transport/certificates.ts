/** Certificates made with openssl, for one test directory. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A certificate's files. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

const openssl = (...args: string[]): void => {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
};

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** A certificate authority. */
export class Authority {
  readonly cert: string;
  readonly #key: string;
  readonly #dir: string;
  #issued = 0;

  constructor(dir: string, name: string) {
    this.#dir = dir;
    this.cert = join(dir, `${name}.pem`);
    this.#key = join(dir, `${name}.key`);
    openssl(
      'req',
      '-x509',
      ...NEW_KEY,
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      this.#key,
      '-out',
      this.cert,
    );
  }

  /** Issues a certificate for names such as `DNS:a.example` and `IP:127.0.0.1`. */
  issue(name: string, ...sans: string[]): Pair {
    const base = join(this.#dir, `${name}-${(this.#issued += 1)}`);
    const pair = { cert: `${base}.pem`, key: `${base}.key` };
    const names = sans.map((san, i) => san.replace(/^(\w+):(.*)$/s, `$1.${i} = $2`));
    writeFileSync(`${base}.ext`, `subjectAltName=@names\n[names]\n${names.join('\n')}\n`);
    openssl('req', '-new', ...NEW_KEY, '-subj', `/CN=${name}`, '-keyout', pair.key, '-out', `${base}.csr`);
    openssl(
      ...['x509', '-req', '-in', `${base}.csr`, '-CA', this.cert, '-CAkey', this.#key, '-CAcreateserial'],
      ...['-days', '2', '-extfile', `${base}.ext`, '-out', pair.cert],
    );
    return pair;
  }
}
