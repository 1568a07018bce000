/**
 * Who may change something over the admin port: whoever has the token, and no browser on behalf of another site.
 *
 * A browser names itself on every request that is not a plain read (`Origin`, `Sec-Fetch-Site`; the Fetch standard), so
 * programs are not held up by this. A page of another site is refused by its origin (CSRF). A page whose name was made
 * to resolve to this address has the right origin but cannot have an IP address or `localhost` in its URL (DNS rebinding).
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
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

  /** @param token empty or absent: nothing may be changed. */
  constructor(token: string | undefined) {
    this.expected = token === undefined || token === '' ? undefined : digest(token);
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

const digest = (token: string): Buffer => createHash('sha256').update(token).digest();

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

/** Whether a Host header names an IP address or localhost, which no foreign name server can point at us. */
function isUnspoofableHost(host: string | undefined): boolean {
  if (host === undefined || !URL.canParse(`http://${host}`)) return false;
  const name = new URL(`http://${host}`).hostname.replace(/^\[|\]$/g, '');
  return isIP(name) !== 0 || name === 'localhost' || name.endsWith('.localhost');
}
