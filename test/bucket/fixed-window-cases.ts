/** Numeric cases of the fixed window, worked out by hand. */
import {
  type BucketCase,
  charged,
  count,
  fw,
  HOUR,
  MAX,
  MAX_COUNT,
  MS,
  plain,
  S,
  T,
  YEAR,
} from './case-form';

const W10 = fw(10, HOUR);

/** Cases of the fixed window. */
export const FIXED_WINDOW_CASES: readonly BucketCase[] = [
  {
    name: 'counts to the limit, and anew in the next window',
    steps: [
      plain(T + S, W10, 4, [0, 4, 6, HOUR - S], count(4, T)),
      plain(T + 2 * S, W10, 7, [4, 11, 0, HOUR - 2 * S, HOUR - 2 * S], count(4, T)),
      plain(T + 2 * S, W10, 6, [4, 10, 0, HOUR - 2 * S], count(10, T)),
      plain(T + HOUR - 1, W10, 0, [10, 10, 0, 1], count(10, T), 'a peek at exactly the limit is allowed'),
      plain(T + HOUR - 1, W10, 1, [10, 11, 0, 1, 1], count(10, T)),
      plain(T + HOUR, W10, 1, [0, 1, 9, HOUR], count(1, T + HOUR)),
    ],
  },
  {
    name: 'a peek at a fresh window writes nothing',
    steps: [
      plain(T, W10, 0, [0, 0, 10, HOUR]),
      plain(T, W10, 1, [0, 1, 9, HOUR], count(1, T)),
      plain(T + HOUR, W10, 0, [0, 0, 10, HOUR], count(1, T)),
    ],
  },
  {
    name: 'charged denials count, and a peek above the limit is over',
    steps: [
      charged(T, W10, 8, [0, 8, 2, HOUR], count(8, T)),
      charged(T, W10, 5, [8, 13, 0, HOUR, HOUR], count(13, T)),
      charged(T, W10, 0, [13, 13, 0, HOUR, HOUR], count(13, T)),
      charged(T, W10, -3, [13, 10, 0, HOUR], count(10, T)),
      charged(T, W10, 0, [10, 10, 0, HOUR], count(10, T)),
    ],
  },
  {
    name: 'a refund goes down to 0, in the current window only',
    steps: [
      plain(T, W10, 3, [0, 3, 7, HOUR], count(3, T)),
      plain(T, W10, -1, [3, 2, 8, HOUR], count(2, T)),
      plain(T, W10, -5, [2, 0, 10, HOUR], count(0, T)),
      plain(T, W10, 4, [0, 4, 6, HOUR], count(4, T)),
      plain(T + HOUR, W10, -4, [0, 0, 10, HOUR]),
      plain(T + HOUR, W10, 10, [0, 10, 0, HOUR], count(10, T + HOUR)),
    ],
  },
  {
    name: 'limit 0 admits nothing',
    steps: [
      plain(T, fw(0, HOUR), 1, [0, 1, 0, HOUR, Infinity]),
      plain(T, fw(0, HOUR), 0, [0, 0, 0, HOUR]),
      charged(T, fw(0, HOUR), 1, [0, 1, 0, HOUR, Infinity], count(1, T)),
      plain(T, fw(0, HOUR), 0, [1, 1, 0, HOUR, HOUR], count(1, T)),
    ],
  },
  {
    name: 'absurd hits',
    steps: [
      plain(T, W10, 2 ** 64, [0, 2 ** 64, 0, HOUR, Infinity]),
      charged(T, W10, 2 ** 64, [0, 2 ** 64, 0, HOUR, Infinity], count(MAX_COUNT, T)),
      charged(T, W10, 1, [MAX_COUNT, MAX_COUNT + 1, 0, HOUR, HOUR], count(MAX_COUNT, T)),
      charged(T, W10, -1, [MAX_COUNT, MAX_COUNT - 1, 0, HOUR], count(MAX_COUNT - 1, T)),
      charged(T, W10, -(2 ** 64), [MAX_COUNT - 1, 0, 10, HOUR], count(0, T)),
    ],
  },
  {
    name: 'the largest limit',
    steps: [
      plain(T, fw(MAX, HOUR), MAX - 1, [0, MAX - 1, 1, HOUR], count(MAX - 1, T)),
      plain(T, fw(MAX, HOUR), 2, [MAX - 1, MAX + 1, 0, HOUR, HOUR], count(MAX - 1, T)),
      plain(T, fw(MAX, HOUR), 1, [MAX - 1, MAX, 0, HOUR], count(MAX, T)),
    ],
  },
  {
    name: 'windows of a year begin at multiples of 365 days',
    steps: [
      plain(T, fw(2, YEAR), 2, [0, 2, 0, 54 * YEAR - T], count(2, 53 * YEAR)),
      plain(54 * YEAR - 1, fw(2, YEAR), 1, [2, 3, 0, 1, 1], count(2, 53 * YEAR)),
      plain(54 * YEAR, fw(2, YEAR), 1, [0, 1, 1, YEAR], count(1, 54 * YEAR)),
    ],
  },
  {
    name: 'windows of a millisecond',
    steps: [
      plain(T, fw(1, MS), 1, [0, 1, 0, MS], count(1, T)),
      plain(T + 999, fw(1, MS), 1, [1, 2, 0, 1, 1], count(1, T)),
      plain(T + 1_000, fw(1, MS), 1, [0, 1, 0, MS], count(1, T + 1_000)),
    ],
  },
  {
    name: 'a small step back stays in the window, a large one starts anew',
    steps: [
      plain(T, W10, 10, [0, 10, 0, HOUR], count(10, T)),
      plain(T - 1, W10, 1, [10, 11, 0, HOUR, HOUR], count(10, T)),
      plain(T - 1, W10, -1, [10, 9, 1, HOUR], count(9, T)),
      plain(T - HOUR + 1, W10, 1, [9, 10, 0, HOUR], count(10, T)),
      plain(T - HOUR, W10, 1, [0, 1, 9, HOUR], count(1, T - HOUR)),
      plain(T - 9 * HOUR, W10, 2, [0, 2, 8, HOUR], count(2, T - 9 * HOUR)),
    ],
  },
  {
    name: 'a changed limit counts at once and keeps the count',
    steps: [
      plain(T, fw(10, HOUR, 1), 8, [0, 8, 2, HOUR], count(8, T)),
      plain(T, fw(5, HOUR, 2), 0, [8, 8, 0, HOUR, HOUR], count(8, T)),
      plain(T, fw(20, HOUR, 3), 12, [8, 20, 0, HOUR], count(20, T)),
      plain(T, fw(100, HOUR, 2), 1, [20, 21, 0, HOUR, HOUR], count(20, T), 'older: ignored'),
      plain(T, fw(30, HOUR, 3), 1, [20, 21, 9, HOUR], count(21, T), 'equal: replaces'),
    ],
  },
  {
    name: 'a version that is a time keeps older ones out for two minutes',
    steps: [
      plain(T, fw(10, HOUR, T / MS), 8, [0, 8, 2, HOUR], count(8, T)),
      plain(T + 120 * S, fw(20, HOUR), 1, [8, 9, 1, HOUR - 120 * S], count(9, T)),
      plain(T + 120 * S + 1, fw(20, HOUR), 1, [9, 10, 10, HOUR - 120 * S - 1], count(10, T)),
      plain(T + 121 * S, fw(30, HOUR, T / MS), 0, [10, 10, 20, HOUR - 121 * S], count(10, T), 'newer again'),
      plain(T + 121 * S, fw(5, HOUR, 4), 0, [10, 10, 0, HOUR - 121 * S, HOUR - 121 * S], count(10, T)),
    ],
  },
];
