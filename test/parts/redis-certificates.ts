/** A certificate authority of the test's own, and a server and client certificate signed by it. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Where the files are. */
export interface Certificates {
  readonly ca: string;
  readonly serverCert: string;
  readonly serverKey: string;
  readonly clientCert: string;
  readonly clientKey: string;
  remove(): Promise<void>;
}

/** Makes all of them with openssl; the server's is for `localhost` and 127.0.0.1 unless `altNames` says otherwise. */
export async function makeCertificates(altNames = 'DNS:localhost,IP:127.0.0.1'): Promise<Certificates> {
  const dir = await mkdtemp(path.join(tmpdir(), 'tidegate-certs-'));
  const at = (name: string): string => path.join(dir, name);
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await run('openssl', [
    ...['req', '-x509', ...ec, '-days', '2', '-subj', '/CN=tidegate test authority'],
    ...['-keyout', at('ca.key'), '-out', at('ca.pem')],
  ]);
  await writeFile(at('server.ext'), `subjectAltName=${altNames}\n`);
  await writeFile(at('client.ext'), 'extendedKeyUsage=clientAuth\n');
  for (const name of ['server', 'client']) {
    await run('openssl', [
      ...['req', '-new', ...ec, '-subj', `/CN=tidegate test ${name}`],
      ...['-keyout', at(`${name}.key`), '-out', at(`${name}.csr`)],
    ]);
    await run('openssl', [
      ...[
        'x509',
        '-req',
        '-days',
        '2',
        '-in',
        at(`${name}.csr`),
        '-CA',
        at('ca.pem'),
        '-CAkey',
        at('ca.key'),
      ],
      ...['-CAcreateserial', '-extfile', at(`${name}.ext`), '-out', at(`${name}.pem`)],
    ]);
  }
  return {
    ca: at('ca.pem'),
    serverCert: at('server.pem'),
    serverKey: at('server.key'),
    clientCert: at('client.pem'),
    clientKey: at('client.key'),
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}
