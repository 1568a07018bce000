/** An array of zeros: for a few figures, much smaller than a typed one, of which a class would have dozens. */
export function zeros(length: number): number[] {
  return Array.from({ length }, () => 0.5).fill(0);
}
