/** Whether a client's certificate carries one of the names that may call (subject alternative names, RFC 5280 4.2.1.6). */
import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

/** One name in Node's rendering of the extension: its type, then text, in JSON quotes when it has odd characters. */
const NAME = /(?:^|, )(DNS|URI|email|IP Address):("(?:[^"\\]|\\.)*"|[^,]*)/g;

/**
 * Whether the certificate carries one of `allowed`: a host name (which a wildcard in the certificate may cover), an IP
 * address, or a URI or e-mail address, exactly.
 */
export function carriesSan(certificate: X509Certificate, allowed: readonly string[]): boolean {
  const names = namesOf(certificate.subjectAltName ?? '');
  return allowed.some((san) => {
    if (isIP(san) !== 0) return certificate.checkIP(san) !== undefined;
    if (names.has(san)) return true;
    return certificate.checkHost(san, { subject: 'never' }) !== undefined;
  });
}

function namesOf(subjectAltName: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [, type, text] of subjectAltName.matchAll(NAME)) {
    if (type === 'IP Address' || text === undefined) continue;
    names.add(text.startsWith('"') ? String(JSON.parse(text)) : text);
  }
  return names;
}
