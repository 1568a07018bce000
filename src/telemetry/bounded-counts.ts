/** Counts by name, where the names come from outside: a bounded number of them, the rest under `other`. */

/** A map of name to count with at most `maxNames` names and `other`. */
export class BoundedCounts {
  private readonly counts = new Map<string, number>();

  /** @param known names that are there from the start, with 0; they do not use up the bound. */
  constructor(
    private readonly maxNames: number,
    private readonly known: readonly string[] = [],
  ) {
    for (const name of known) this.counts.set(name, 0);
  }

  /** Adds to a name's count. */
  add(name: string, amount = 1): void {
    const count = this.counts.get(name);
    if (count !== undefined) this.counts.set(name, count + amount);
    else if (this.counts.size < this.maxNames + this.known.length) this.counts.set(name, amount);
    else this.counts.set('other', (this.counts.get('other') ?? 0) + amount);
  }

  /** Takes out every name that was counted, with its count. */
  take(): readonly (readonly [string, number])[] {
    const taken = [...this.counts].filter(([, count]) => count > 0);
    this.counts.clear();
    for (const name of this.known) this.counts.set(name, 0);
    return taken;
  }

  /** Every name with its count. */
  entries(): Iterable<readonly [string, number]> {
    return this.counts.entries();
  }
}
