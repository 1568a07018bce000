/**
 * Tokens as integers: 1 token is 1,000,000 micro-tokens (ut). Both JavaScript and Redis's Lua keep numbers as IEEE-754
 * doubles, so the same sequence of operations gives the same figures in both, as long as stored integers stay under 2^53.
 */

/** Micro-tokens in one token. */
export const UT_PER_TOKEN = 1_000_000;

/** Where a window's count stops growing: half of 2^53, so that count + limit is still exact. */
export const MAX_COUNT = 2 ** 52;

/** Whole tokens as micro-tokens. Exact up to 2^32 tokens; larger figures only need to be compared. */
export function microTokens(tokens: number): number {
  return tokens * UT_PER_TOKEN;
}
