/** Durations as people write them: `500ms`, `90s`, `1h30m`, `7d`. */

const UNIT_US: Readonly<Record<string, number>> = {
  us: 1,
  µs: 1,
  ms: 1_000,
  s: 1_000_000,
  m: 60_000_000,
  h: 3_600_000_000,
  d: 86_400_000_000,
  w: 604_800_000_000,
};

const PART = /(\d+(?:\.\d+)?)(us|µs|ms|s|m|h|d|w)/gy;

/**
 * Reads a duration: one or more numbers, each with a unit of us, ms, s, m, h, d or w; or a bare 0.
 * @returns microseconds (a whole number), or undefined when the text is not a duration.
 */
export function parseDurationUs(text: string): number | undefined {
  const trimmed = text.trim();
  if (trimmed === '0') return 0;
  let total = 0;
  let end = 0;
  for (const match of trimmed.matchAll(PART)) {
    total += Number(match[1]) * (UNIT_US[match[2] ?? ''] ?? 0);
    end = match.index + match[0].length;
  }
  if (end === 0 || end !== trimmed.length || !Number.isSafeInteger(Math.round(total))) return undefined;
  return Math.round(total);
}

/** Writes microseconds with the largest unit that divides them: 90000000 is `90s`. */
export function formatDurationUs(us: number): string {
  for (const unit of ['w', 'd', 'h', 'm', 's', 'ms'] as const) {
    const size = UNIT_US[unit] ?? 1;
    if (us >= size && us % size === 0) return `${us / size}${unit}`;
  }
  return us === 0 ? '0' : `${us}us`;
}
