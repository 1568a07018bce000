/** What a lending desk knows, as text: for whoever takes a pool over. */
import type { BreakerState } from './lending-breaker';
import { type Loan, MAX_OPEN_LOANS, type Recall } from './loan-ledger';

/** The most characters that a state takes; what does not fit is left out: debts are kept first, then the newest loans. */
export const MAX_STATE_CHARS = 500_000;
const FORMAT = 1;

/** What a desk knows. Ended loans are not part of it, but for those whose outcome may still come. */
export interface LendingState {
  readonly sequence: number;
  readonly atMs: number | null;
  readonly reclaimMs: number | null;
  readonly fairness: number | null;
  readonly breaker: BreakerState;
  /** What each owes, and what rounding owes each. */
  readonly debts: readonly (readonly [string, number])[];
  readonly carry: readonly (readonly [string, number])[];
  readonly loans: readonly Loan[];
  readonly recalls: readonly Recall[];
}

/** As JSON text of at most {@link MAX_STATE_CHARS}. */
export function writeLendingState(state: LendingState): string {
  let left = MAX_STATE_CHARS - 1_000;
  const fitting = <T>(rows: readonly T[]): T[] => {
    const kept: T[] = [];
    for (const row of rows) {
      left -= JSON.stringify(row).length + 1;
      if (left < 0) break;
      kept.push(row);
    }
    return kept;
  };
  const debts = fitting([...state.debts].sort((a, b) => Math.abs(b[1]) - Math.abs(a[1])));
  const carry = fitting(state.carry);
  const recalls = fitting(
    state.recalls.map(({ id, loanId, tokens, atMs, dueMs }) => [id, loanId, tokens, atMs, dueMs]),
  );
  const loans = fitting([...state.loans].reverse().map(loanRow)).reverse();
  const { sequence, atMs, reclaimMs, fairness, breaker } = state;
  return JSON.stringify({
    ...{ format: FORMAT, sequence, atMs, reclaimMs, fairness, breaker, debts, carry, recalls, loans },
  });
}

/** Reads what {@link writeLendingState} wrote; undefined when it is anything else. Never throws. */
export function readLendingState(text: string): LendingState | undefined {
  if (text.length > MAX_STATE_CHARS) return undefined;
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(read) || read.format !== FORMAT) return undefined;
  const { sequence, atMs, reclaimMs, fairness, breaker, debts, carry, loans, recalls } = read;
  if (!isCount(sequence) || !isMaybe(atMs) || !isMaybe(reclaimMs) || !isMaybe(fairness)) return undefined;
  if (!isRecord(breaker) || !isCount(breaker.failures) || !isFigure(breaker.backoffMs)) return undefined;
  if (!isMaybe(breaker.untilMs) || !isPairs(debts) || !isPairs(carry)) return undefined;
  const readLoans = rows(loans, readLoan);
  const readRecalls = rows(recalls, readRecall);
  if (readLoans === undefined || readRecalls === undefined) return undefined;
  const { failures, backoffMs, untilMs } = breaker;
  return {
    ...{ sequence, atMs, reclaimMs, fairness, debts, carry, loans: readLoans, recalls: readRecalls },
    breaker: { failures, backoffMs, untilMs },
  };
}

function loanRow(loan: Loan): readonly unknown[] {
  const { id, lender, borrower, amount, returned, lost, atMs, dueMs, why, state, neededAtMs } = loan;
  return [id, lender, borrower, amount, returned, lost, atMs, dueMs, why, state, neededAtMs];
}

function readLoan(row: readonly unknown[]): Loan | undefined {
  const [id, lender, borrower, amount, returned, lost, atMs, dueMs, why, state, neededAtMs] = row;
  if (!isText(id) || !isText(lender) || !isText(borrower) || !isText(why)) return undefined;
  if (!isCount(amount) || !isCount(returned) || !isCount(lost) || returned + lost > amount) return undefined;
  if (!isFigure(atMs) || !isFigure(dueMs) || !isMaybe(neededAtMs)) return undefined;
  if (state !== 'sent' && state !== 'open' && state !== 'failed') return undefined;
  const unheard = state === 'failed';
  return { id, lender, borrower, amount, returned, lost, atMs, dueMs, why, state, neededAtMs, unheard };
}

function readRecall(row: readonly unknown[]): Recall | undefined {
  const [id, loanId, tokens, atMs, dueMs] = row;
  if (!isText(id) || !isText(loanId) || !isCount(tokens)) return undefined;
  return isFigure(atMs) && isFigure(dueMs) ? { id, loanId, tokens, atMs, dueMs } : undefined;
}

function rows<T>(value: unknown, read: (row: readonly unknown[]) => T | undefined): T[] | undefined {
  if (!Array.isArray(value) || value.length > MAX_OPEN_LOANS * 2) return undefined;
  const all: T[] = [];
  for (const row of value as unknown[]) {
    const one = Array.isArray(row) ? read(row as unknown[]) : undefined;
    if (one === undefined) return undefined;
    all.push(one);
  }
  return all;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === 'string';
const isFigure = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isMaybe = (value: unknown): value is number | null => value === null || isFigure(value);
const isPairs = (value: unknown): value is [string, number][] =>
  Array.isArray(value) &&
  value.every((row: unknown) => Array.isArray(row) && row.length === 2 && isText(row[0]) && isFigure(row[1]));
