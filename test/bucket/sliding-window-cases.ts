/** Numeric cases of the sliding window, worked out by hand. */
import { type BucketCase, charged, MAX, MAX_COUNT, MS, plain, ring, S, sw, T, YEAR } from './case-form';

/** 32 sub-windows of one second. */
const W32 = 32 * S;
const S10 = sw(10, W32);
/** The index of the sub-window that T begins. */
const I = 1_700_006_400;

/** Cases of the sliding window. */
export const SLIDING_WINDOW_CASES: readonly BucketCase[] = [
  {
    name: 'counts the current sub-window and the 32 before it',
    steps: [
      plain(T, S10, 4, [0, 4, 6, 33 * S], ring([I, 4])),
      plain(T + 500 * MS, S10, 1, [4, 5, 5, 32_500 * MS], ring([I, 5])),
      plain(T + 10 * S, S10, 5, [5, 10, 0, 33 * S], ring([I, 5], [I + 10, 5])),
      plain(T + 10 * S, S10, 1, [10, 11, 0, 33 * S, 23 * S], ring([I, 5], [I + 10, 5])),
      plain(T + 10 * S, S10, 6, [10, 16, 0, 33 * S, 33 * S], ring([I, 5], [I + 10, 5])),
      plain(T + 33 * S - 1, S10, 1, [10, 11, 0, 10 * S + 1, 1], ring([I, 5], [I + 10, 5])),
      plain(T + 33 * S, S10, 1, [5, 6, 4, 33 * S], ring([I + 10, 5], [I + 33, 1])),
      plain(T + 43 * S, S10, 9, [1, 10, 0, 33 * S], ring([I + 33, 1], [I + 43, 9])),
      plain(T + 500 * S, S10, 10, [0, 10, 0, 33 * S], ring([I + 500, 10])),
    ],
  },
  {
    name: 'a peek changes nothing, and is allowed at exactly the limit',
    steps: [
      plain(T, S10, 0, [0, 0, 10, 0]),
      plain(T, S10, 10, [0, 10, 0, 33 * S], ring([I, 10])),
      plain(T + S, S10, 0, [10, 10, 0, 32 * S], ring([I, 10])),
      plain(T + 33 * S, S10, 0, [0, 0, 10, 0]),
    ],
  },
  {
    name: 'hits above the limit never pass',
    steps: [
      plain(T, S10, 11, [0, 11, 0, 0, Infinity]),
      plain(T, S10, 2 ** 64, [0, 2 ** 64, 0, 0, Infinity]),
      plain(T, sw(0, W32), 1, [0, 1, 0, 0, Infinity]),
      plain(T, sw(0, W32), 0, [0, 0, 0, 0]),
    ],
  },
  {
    name: 'charged denials count, and a peek above the limit is over',
    steps: [
      charged(T, S10, 8, [0, 8, 2, 33 * S], ring([I, 8])),
      charged(T + S, S10, 3, [8, 11, 0, 33 * S, 32 * S], ring([I, 8], [I + 1, 3])),
      charged(T + S, S10, 0, [11, 11, 0, 33 * S, 32 * S], ring([I, 8], [I + 1, 3])),
      charged(
        T + 2 * S,
        S10,
        2 ** 64,
        [11, 11 + 2 ** 64, 0, 33 * S, Infinity],
        ring([I, 8], [I + 1, 3], [I + 2, MAX_COUNT - 11]),
      ),
      charged(
        T + 2 * S,
        S10,
        1,
        [MAX_COUNT, MAX_COUNT + 1, 0, 33 * S, 33 * S],
        ring([I, 8], [I + 1, 3], [I + 2, MAX_COUNT - 11]),
      ),
      charged(T + 34 * S, S10, -(2 ** 64), [MAX_COUNT - 11, 0, 10, 0]),
    ],
  },
  {
    name: 'a refund takes from the newest backwards',
    steps: [
      plain(T, S10, 3, [0, 3, 7, 33 * S], ring([I, 3])),
      plain(T + 5 * S, S10, 2, [3, 5, 5, 33 * S], ring([I, 3], [I + 5, 2])),
      plain(T + 6 * S, S10, -1, [5, 4, 6, 32 * S], ring([I, 3], [I + 5, 1])),
      plain(T + 6 * S, S10, -2, [4, 2, 8, 27 * S], ring([I, 2])),
      plain(T + 6 * S, S10, 1, [2, 3, 7, 33 * S], ring([I, 2], [I + 6, 1])),
      plain(T + 33 * S, S10, -1, [1, 0, 10, 0]),
      plain(T + 33 * S, S10, -1, [0, 0, 10, 0]),
      plain(T + 33 * S, S10, 10, [0, 10, 0, 33 * S], ring([I + 33, 10])),
    ],
  },
  {
    name: 'a full ring, one hit in every sub-window',
    steps: [
      ...Array.from({ length: 33 }, (_, i) => plain(T + i * S, sw(33, W32), 1, [i, i + 1, 32 - i, 33 * S])),
      plain(T + 32 * S, sw(33, W32), 1, [33, 34, 0, 33 * S, 1 * S]),
      plain(T + 32 * S, sw(33, W32), 5, [33, 38, 0, 33 * S, 5 * S]),
      plain(T + 33 * S, sw(33, W32), 1, [32, 33, 0, 33 * S]),
      plain(T + 64 * S, sw(33, W32), 1, [2, 3, 30, 33 * S], ring([I + 32, 1], [I + 33, 1], [I + 64, 1])),
    ],
  },
  {
    name: 'a step back of up to a window goes on in the newest sub-window, a longer one starts anew',
    steps: [
      plain(T, S10, 5, [0, 5, 5, 33 * S], ring([I, 5])),
      plain(T - 5 * S, S10, 4, [5, 9, 1, 33 * S], ring([I, 9])),
      plain(T - 32 * S, S10, 2, [9, 11, 0, 33 * S, 33 * S], ring([I, 9])),
      plain(T - 32 * S - 1, S10, 0, [0, 0, 10, 0], ring([I, 9]), 'a peek writes nothing'),
      plain(T - 32 * S - 1, S10, 2, [0, 2, 8, 32 * S + 1], ring([I - 33, 2])),
    ],
  },
  {
    name: 'sub-windows of a fractional length: 1,001 us / 32',
    steps: [
      plain(1_001_000, sw(5, 1_001), 2, [0, 2, 3, 1_033], ring([32_000, 2])),
      plain(1_001_032, sw(5, 1_001), 2, [2, 4, 1, 1_032], ring([32_000, 2], [32_001, 2])),
      plain(1_002_032, sw(5, 1_001), 2, [4, 6, 0, 32, 1], ring([32_000, 2], [32_001, 2])),
      plain(1_002_033, sw(5, 1_001), 2, [2, 4, 1, 1_032], ring([32_001, 2], [32_033, 2])),
    ],
  },
  {
    name: 'a sub-window that ends within an eighth of a us: 2,867 us / 32, today',
    steps: [
      plain(T, sw(2, 2_867), 2, [0, 2, 0, 2_874], ring([18_974_609_277_990, 2])),
      plain(
        T + 2_873,
        sw(2, 2_867),
        1,
        [2, 3, 0, 1, 1],
        ring([18_974_609_277_990, 2]),
        '5/32 us too early, which time over the length of a sub-window cannot tell',
      ),
      plain(T + 2_874, sw(2, 2_867), 1, [0, 1, 1, 2_956], ring([18_974_609_278_023, 1])),
    ],
  },
  {
    name: 'a year, with the largest limit',
    steps: [
      plain(T, sw(MAX, YEAR), MAX, [0, MAX, 0, 1758 * (YEAR / 32) - T], ring([1_725, MAX])),
      plain(
        T + YEAR,
        sw(MAX, YEAR),
        1,
        [MAX, MAX + 1, 0, 1758 * (YEAR / 32) - T - YEAR, 1758 * (YEAR / 32) - T - YEAR],
        ring([1_725, MAX]),
      ),
      plain(1758 * (YEAR / 32), sw(MAX, YEAR), 1, [0, 1, MAX - 1, 33 * (YEAR / 32)], ring([1_758, 1])),
    ],
  },
  {
    name: 'a changed limit counts at once and keeps the counts',
    steps: [
      plain(T, sw(10, W32, 1), 8, [0, 8, 2, 33 * S], ring([I, 8])),
      plain(T, sw(5, W32, 2), 0, [8, 8, 0, 33 * S, 33 * S], ring([I, 8])),
      plain(T, sw(20, W32, 3), 12, [8, 20, 0, 33 * S], ring([I, 20])),
      plain(T, sw(100, W32, 2), 1, [20, 21, 0, 33 * S, 33 * S], ring([I, 20]), 'older: ignored'),
      plain(T, sw(30, W32, 3), 1, [20, 21, 9, 33 * S], ring([I, 21]), 'equal: replaces'),
    ],
  },
  {
    name: 'a version that is a time keeps older ones out for two minutes',
    steps: [
      plain(T, sw(10, W32, T / MS - 120_000), 8, [0, 8, 2, 33 * S], ring([I, 8])),
      plain(T, sw(20, W32), 1, [8, 9, 1, 33 * S], ring([I, 9])),
      plain(T + 1, sw(20, W32), 1, [9, 10, 10, 33 * S - 1], ring([I, 10])),
      plain(T + 1, sw(5, W32, 4), 0, [10, 10, 0, 33 * S - 1, 33 * S - 1], ring([I, 10])),
      plain(T + 1, sw(20, W32, 3), 0, [10, 10, 0, 33 * S - 1, 33 * S - 1], ring([I, 10]), 'no time'),
    ],
  },
];
