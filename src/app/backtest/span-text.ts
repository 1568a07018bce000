/** Spans of time as people write them. */

const UNITS: readonly (readonly [ms: number, name: string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
];

/** `5 min`, `1 d`, `1.5 h`: in the largest unit that it reaches. @param spanMs ms. */
export function spanText(spanMs: number): string {
  const [ms, name] = UNITS.find(([unit]) => spanMs >= unit) ?? [1, 'ms'];
  return `${Number((spanMs / ms).toFixed(2))} ${name}`;
}
