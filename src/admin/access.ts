/**
 * Who may change something over the admin port: whoever has the token, or a client certificate where the port demands
 * one, and no browser on behalf of another site.
 *
 * A browser names itself on every request that is not a plain read (`Origin`, `Sec-Fetch-Site`; the Fetch standard), so
 * programs are not held up by this. A page of another site is refused by its origin (CSRF). A page whose name was made
 * to resolve to this address has the right origin but cannot have an IP address or `localhost` in its URL (DNS rebinding).
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { TLSSocket } from 'node:tls';
import { TidegateError } from '../core/errors';

/**
 * Refuses what a browser sends for a page that is not ours.
 * @throws TidegateError TG_ADMIN_CROSS_SITE.
 */
export function refuseCrossSite(headers: IncomingHttpHeaders): void {
  const { origin, host } = headers;
  const site = headers['sec-fetch-site'];
  if (origin === undefined && site === undefined) return;
  const sameSite = site === undefined || site === 'same-origin' || site === 'none';
  const sameOrigin = origin === undefined || hostOf(origin) === host?.toLowerCase();
  if (sameSite && sameOrigin && isUnspoofableHost(host)) return;
  throw new TidegateError('TG_ADMIN_CROSS_SITE', 'the request comes from a page that is not of this address');
}

/** Checks the token of calls that change something. */
export class TokenCheck {
  private readonly expected: Buffer | undefined;

  /**
   * @param token as it is sent, or `sha256:` and the 64 hex digits of its digest; empty or absent: no token is right.
   * @throws TidegateError TG_SETTINGS_INVALID for `sha256:` with anything else behind it.
   */
  constructor(token: string | undefined) {
    this.expected = token === undefined || token === '' ? undefined : expectedDigest(token);
  }

  /** @throws TidegateError TG_ADMIN_NO_TOKEN when none is configured, TG_ADMIN_UNAUTHORIZED on a missing or wrong one. */
  require(authorization: string | undefined): void {
    if (this.expected === undefined) {
      throw new TidegateError('TG_ADMIN_NO_TOKEN', 'changes over the API are off');
    }
    const given = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    // Digests have one length, so that the comparison takes the same time for any token.
    if (given === undefined || !timingSafeEqual(digest(given), this.expected)) {
      const what = given === undefined ? 'there is no bearer token' : 'the token is wrong';
      throw new TidegateError('TG_ADMIN_UNAUTHORIZED', what);
    }
  }
}

/**
 * The subject of the client certificate that a request came with, such as `CN=deploy, O=Example`; undefined without one
 * that was verified. The listener has already turned away those that it does not accept.
 */
export function clientSubject({ socket }: Pick<IncomingMessage, 'socket'>): string | undefined {
  // `authorized` is true only where a certificate was demanded and its chain leads to the configured CA.
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  return socket.getPeerX509Certificate()?.subject.split('\n').join(', ');
}

/**
 * Lets a change pass.
 * @throws TidegateError TG_ADMIN_CROSS_SITE, TG_ADMIN_NO_TOKEN or TG_ADMIN_UNAUTHORIZED.
 */
export function requireChanger(
  request: Pick<IncomingMessage, 'headers' | 'socket'>,
  token: TokenCheck,
): void {
  refuseCrossSite(request.headers);
  if (clientSubject(request) === undefined) token.require(request.headers.authorization);
}

const digest = (token: string): Buffer => createHash('sha256').update(token).digest();

function expectedDigest(token: string): Buffer {
  if (!token.startsWith('sha256:')) return digest(token);
  const hex = /^sha256:([0-9a-f]{64})$/i.exec(token)?.[1];
  if (hex !== undefined) return Buffer.from(hex, 'hex');
  throw new TidegateError('TG_SETTINGS_INVALID', 'the digest of the token is not 64 hex digits', {
    at: { key: 'admin.token' },
    remedy: 'write sha256: and what `printf %s "$TOKEN" | sha256sum` says, or the token itself',
  });
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

/** Whether a Host header names an IP address or localhost, which no foreign name server can point at us. */
function isUnspoofableHost(host: string | undefined): boolean {
  if (host === undefined || !URL.canParse(`http://${host}`)) return false;
  const name = new URL(`http://${host}`).hostname.replace(/^\[|\]$/g, '');
  return isIP(name) !== 0 || name === 'localhost' || name.endsWith('.localhost');
}
