/**
 * Certificate, key and client CA from files. They are read and tried out together: either all of them are good, or
 * nothing of them is used.
 */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { TidegateError } from '../core/errors';

/** The files of a server's TLS. */
export interface TlsFiles {
  /** The certificate chain, PEM, the server's own certificate first. */
  readonly certFile: string;
  /** The certificate's private key, PEM. */
  readonly keyFile: string;
  /** The CAs that client certificates must come from, PEM. When set, a client without one is refused (mTLS). */
  readonly clientCaFile?: string;
  /** Subject alternative names of which a client certificate must carry one; empty or absent takes any. Needs a CA. */
  readonly clientSans?: readonly string[];
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Reads the files and tries them out.
 * @throws TidegateError TG_TLS that names the file, and never what is in it.
 */
export async function loadTlsFiles(files: TlsFiles): Promise<SecureContextOptions> {
  const [cert, key, ca] = await Promise.all([
    readText(files.certFile),
    readText(files.keyFile),
    files.clientCaFile === undefined ? undefined : readText(files.clientCaFile),
  ]);
  if (ca !== undefined && files.clientCaFile !== undefined) checkCertificates(ca, files.clientCaFile);
  checkCertificates(cert, files.certFile);
  const options: SecureContextOptions = {
    cert,
    key,
    minVersion: 'TLSv1.2',
    ...(ca !== undefined && { ca }),
  };
  try {
    createSecureContext(options);
  } catch (cause) {
    throw new TidegateError('TG_TLS', `the key ${files.keyFile} does not go with ${files.certFile}`, {
      at: { file: files.keyFile },
      cause,
    });
  }
  return options;
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    throw new TidegateError('TG_TLS', `the file cannot be read (${reason})`, { at: { file }, cause });
  }
}

function checkCertificates(pem: string, file: string): void {
  const blocks = pem.match(PEM_CERTIFICATE);
  if (blocks === null)
    throw new TidegateError('TG_TLS', 'there is no PEM certificate in it', { at: { file } });
  for (const block of blocks) {
    try {
      new X509Certificate(block);
    } catch (cause) {
      throw new TidegateError('TG_TLS', 'a certificate in it cannot be read', { at: { file }, cause });
    }
  }
}
