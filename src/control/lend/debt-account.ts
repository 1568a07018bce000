/**
 * What members owe each other of loans that did not come home: who lent is owed what who borrowed owes, so the sum is 0.
 * It fades by half in {@link DEBT_HALF_LIFE_MS}: it is to weigh against chronic borrowers, not to be paid.
 */

/** How long until half of a debt is forgotten, ms. */
export const DEBT_HALF_LIFE_MS = 30_000;
const FORGOTTEN_TOKENS = 0.01;

/** The account. At most two entries a debt, and one a member. */
export class DebtAccount {
  private readonly owed = new Map<string, number>();

  /** Writes a debt, tokens. */
  write(lender: string, borrower: string, tokens: number): void {
    this.add(borrower, tokens);
    this.add(lender, -tokens);
  }

  /** What it owes, tokens; negative when it is owed. */
  of(id: string): number {
    return this.owed.get(id) ?? 0;
  }

  /** What a debt leaves of a member's weight, over 0 to 1: half when it owes `scale` tokens. What it is owed adds nothing. */
  weighs(id: string, scale: number): number {
    return 1 / (1 + Math.max(0, this.of(id)) / scale);
  }

  /** Lets time pass, ms. */
  fade(elapsedMs: number): void {
    const kept = 0.5 ** (elapsedMs / DEBT_HALF_LIFE_MS);
    for (const [id, tokens] of this.owed) {
      if (Math.abs(tokens) * kept < FORGOTTEN_TOKENS) this.owed.delete(id);
      else this.owed.set(id, tokens * kept);
    }
  }

  /** Forgets a member. */
  forget(id: string): void {
    this.owed.delete(id);
  }

  /** All entries: id, and what it owes. */
  entries(): IterableIterator<[string, number]> {
    return this.owed.entries();
  }

  /** Sets one entry. */
  set(id: string, tokens: number): void {
    this.owed.set(id, tokens);
  }

  private add(id: string, tokens: number): void {
    this.owed.set(id, this.of(id) + tokens);
  }
}
