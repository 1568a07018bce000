/** Numeric cases of the token bucket, worked out by hand. */
import { type BucketCase, charged, DAY, HOUR, MAX, MS, plain, S, T, tb, tokens, YEAR } from './case-form';

const P10 = tb(10, 1 * S);
/** 3 ut a second: the refill of 1 s leaves no fraction, that of 0.5 s does. */
const SLOW3 = tb(10, 3);
/** One token a day, as rateUtPerS() rounds it. */
const PER_DAY = tb(1, Math.floor((1e12 / DAY) * 2 ** 32) / 2 ** 32);
/** One token a year. */
const PER_YEAR = tb(1, Math.floor((1e12 / YEAR) * 2 ** 32) / 2 ** 32);

/** Cases of the token bucket. */
export const TOKEN_BUCKET_CASES: readonly BucketCase[] = [
  {
    name: 'take, empty, deny, refill, take',
    steps: [
      plain(T, P10, 3, [0, 3, 7, 3 * S], tokens(7_000_000, T)),
      plain(T, P10, 7, [3, 10, 0, 10 * S], tokens(0, T)),
      plain(
        T + 500 * MS,
        P10,
        1,
        [9.5, 10.5, 0, 9_500_000, 500_000],
        tokens(0, T),
        'a plain denial writes nothing',
      ),
      plain(T + S, P10, 1, [9, 10, 0, 10 * S], tokens(0, T + S)),
      plain(T + S + 2_500 * MS, P10, 1, [7.5, 8.5, 1, 8_500_000], tokens(1_500_000, T + S + 2_500 * MS)),
      plain(T + HOUR, P10, 10, [0, 10, 0, 10 * S], tokens(0, T + HOUR), 'never above the capacity'),
    ],
  },
  {
    name: 'a peek changes nothing and is always allowed',
    steps: [
      plain(T, P10, 0, [0, 0, 10, 0]),
      plain(T, P10, 10, [0, 10, 0, 10 * S], tokens(0, T)),
      plain(T + 1_500 * MS, P10, 0, [8.5, 8.5, 1, 8_500_000], tokens(0, T)),
    ],
  },
  {
    name: 'hits above the capacity never pass',
    steps: [
      plain(T, P10, 11, [0, 11, 0, 0, Infinity]),
      plain(T, P10, 1, [0, 1, 9, 1 * S], tokens(9_000_000, T)),
      plain(T, P10, MAX, [1, 1 + MAX, 0, 1 * S, Infinity], tokens(9_000_000, T)),
      plain(T, P10, 2 ** 64, [1, 1 + 2 ** 64, 0, 1 * S, Infinity], tokens(9_000_000, T)),
    ],
  },
  {
    name: 'a charged denial empties the bucket',
    steps: [
      charged(T, P10, 6, [0, 6, 4, 6 * S], tokens(4_000_000, T)),
      charged(T, P10, 5, [6, 11, 0, 10 * S, 5 * S], tokens(0, T)),
      charged(T + S, P10, 2 ** 64, [9, 9 + 2 ** 64, 0, 10 * S, Infinity], tokens(0, T + S)),
    ],
  },
  {
    name: 'a refund fills up to the capacity',
    steps: [
      plain(T, P10, 6, [0, 6, 4, 6 * S], tokens(4_000_000, T)),
      plain(T, P10, -2, [6, 4, 6, 4 * S], tokens(6_000_000, T)),
      plain(T, P10, -100, [4, 0, 10, 0], tokens(10_000_000, T)),
      plain(T, P10, -1, [0, 0, 10, 0], tokens(10_000_000, T)),
      plain(T, P10, -(2 ** 64), [0, 0, 10, 0], tokens(10_000_000, T)),
    ],
  },
  {
    name: 'capacity 0 admits nothing',
    steps: [
      plain(T, tb(0, 0), 1, [0, 1, 0, 0, Infinity]),
      plain(T, tb(0, 0), 0, [0, 0, 0, 0]),
      charged(T, tb(0, 0), 1, [0, 1, 0, 0, Infinity], tokens(0, T)),
      plain(T + S, tb(0, S), 1, [0, 1, 0, 0, Infinity], tokens(0, T + S), 'a rate alone gives no room'),
    ],
  },
  {
    name: 'rate 0 never refills',
    steps: [
      plain(T, tb(2, 0), 1, [0, 1, 1, Infinity], tokens(1_000_000, T)),
      plain(T + YEAR, tb(2, 0), 1, [1, 2, 0, Infinity], tokens(0, T + YEAR)),
      plain(T + 2 * YEAR, tb(2, 0), 1, [2, 3, 0, Infinity, Infinity], tokens(0, T + YEAR)),
      plain(T + 2 * YEAR, tb(2, 0), -2, [2, 0, 2, 0], tokens(2_000_000, T + 2 * YEAR)),
    ],
  },
  {
    name: 'the remainder of a refill is carried as time',
    steps: [
      plain(T, SLOW3, 10, [0, 10, 0, 3_333_333_333_334], tokens(0, T)),
      plain(
        T + 1_500_000,
        SLOW3,
        -1,
        [9.999996, 8.999996, 1, 2_999_998_666_667],
        tokens(1_000_004, T + 1_500_000 - 166_666),
        '4.5 ut: 4 counted, the half carried as 166,666 us',
      ),
      plain(
        T + 1_666_668,
        SLOW3,
        1,
        [8.999995, 9.999995, 0, 3_333_331_666_667],
        tokens(5, T + 1_666_668),
        'the carried half and another make 1',
      ),
    ],
  },
  {
    name: 'a clock that steps back gives nothing and does not freeze',
    steps: [
      plain(T, P10, 10, [0, 10, 0, 10 * S], tokens(0, T)),
      plain(
        T - HOUR,
        P10,
        1,
        [10, 11, 0, 10 * S, 1 * S],
        tokens(0, T - HOUR),
        'even a denial takes up the new time',
      ),
      plain(T - HOUR + S, P10, 1, [9, 10, 0, 10 * S], tokens(0, T - HOUR + S)),
      plain(T - 2 * HOUR, P10, 0, [10, 10, 0, 10 * S], tokens(0, T - 2 * HOUR)),
      plain(T - 3 * HOUR, P10, -1, [10, 9, 1, 9 * S], tokens(1_000_000, T - 3 * HOUR)),
      plain(T - 4 * HOUR, P10, 1, [9, 10, 0, 10 * S], tokens(0, T - 4 * HOUR)),
    ],
  },
  {
    name: 'a smaller capacity drops what is above it',
    steps: [
      plain(T, tb(10, S, 1), 2, [0, 2, 8, 2 * S], tokens(8_000_000, T)),
      plain(T, tb(5, S, 2), 0, [0, 0, 5, 0], tokens(5_000_000, T), 'a peek brings the change'),
      plain(T, tb(10, S, 3), 1, [5, 6, 4, 6 * S], tokens(4_000_000, T), 'and what was dropped stays dropped'),
    ],
  },
  {
    name: 'a larger capacity is not filled for free',
    steps: [
      plain(T, tb(10, S, 1), 4, [0, 4, 6, 4 * S], tokens(6_000_000, T)),
      plain(T + S, tb(100, 10 * S, 2), 8, [93, 101, 0, 9_300_000, 100_000], tokens(7_000_000, T + S)),
      plain(T + 2 * S, tb(100, 10 * S, 2), 8, [83, 91, 9, 9_100_000], tokens(9_000_000, T + 2 * S)),
    ],
  },
  {
    name: 'a full bucket is not filled up to a larger capacity',
    steps: [
      plain(T, tb(10, S, 1), 1, [0, 1, 9, 1 * S], tokens(9_000_000, T)),
      plain(T + 500 * S, tb(20, S, 2), 1, [10, 11, 9, 11 * S], tokens(9_000_000, T + 500 * S)),
    ],
  },
  {
    name: 'time before a change counts at the old rate',
    steps: [
      plain(T, tb(10, S, 1), 10, [0, 10, 0, 10 * S], tokens(0, T)),
      plain(T + 3 * S, tb(10, 100 * S, 2), 4, [7, 11, 0, 70_000, 10_000], tokens(3_000_000, T + 3 * S)),
      plain(T + 3 * S + 10_000, tb(10, 100 * S, 2), 4, [6, 10, 0, 100_000], tokens(0, T + 3 * S + 10_000)),
    ],
  },
  {
    name: 'a fraction carried over a rise of the rate stays a fraction',
    steps: [
      plain(T, tb(10, 1, 1), 10, [0, 10, 0, 10_000_000_000_000], tokens(0, T)),
      plain(T + 999_999, tb(10, 1000 * S, 2), 1, [10, 11, 0, 10_000, 1_000], tokens(0, T + 999_999)),
      plain(
        T + 1_000_000,
        tb(10, 2, 3),
        0,
        [9.999, 9.999, 0, 4_999_500_000_000],
        tokens(1_000, T + 1_000_000),
      ),
      plain(T + 1_400_000, tb(10, 1, 4), 0, [9.999, 9.999, 0, 9_999_000_000_000], tokens(1_000, T + 600_000)),
    ],
  },
  {
    name: 'a newer version of the same figures loses no fraction',
    steps: [
      plain(T, tb(10, 1, 1), 10, [0, 10, 0, 10_000_000_000_000], tokens(0, T)),
      plain(T + 400_000, tb(10, 1, 2), 0, [10, 10, 0, 10_000_000_000_000], tokens(0, T)),
      plain(T + 800_000, tb(10, 1, 3), 0, [10, 10, 0, 10_000_000_000_000], tokens(0, T)),
      plain(
        T + 1_250_000,
        tb(10, 1, 4),
        0,
        [9.999999, 9.999999, 0, 9_999_999_000_000],
        tokens(1, T + 1_000_000),
      ),
    ],
  },
  {
    name: 'older parameters are ignored, equal versions replace each other',
    steps: [
      plain(T, tb(10, S, 2), 5, [0, 5, 5, 5 * S], tokens(5_000_000, T)),
      plain(T, tb(100, S, 1), 1, [5, 6, 4, 6 * S], tokens(4_000_000, T)),
      plain(T, tb(1, S, 1), 1, [6, 7, 3, 7 * S], tokens(3_000_000, T)),
      plain(T, tb(2, S, 2), 1, [0, 1, 1, 1 * S], tokens(1_000_000, T)),
      plain(T, tb(10, S, 4_294_967_297), 1, [9, 10, 0, 10 * S], tokens(0, T), 'epoch 1, sequence 1'),
      plain(T, tb(50, S, 3), -1, [10, 9, 1, 9 * S], tokens(1_000_000, T)),
    ],
  },
  {
    name: 'a version that is a time keeps older ones out for two minutes',
    steps: [
      plain(T, tb(10, 0, T / MS), 5, [0, 5, 5, Infinity], tokens(5_000_000, T)),
      plain(T + 120 * S, tb(4, 0, 7), 1, [5, 6, 4, Infinity], tokens(4_000_000, T + 120 * S)),
      plain(T + 120 * S + 1, tb(3, 0, 7), 1, [0, 1, 2, Infinity], tokens(2_000_000, T + 120 * S + 1)),
      plain(T + 121 * S, tb(9, 0, 6), 1, [1, 2, 1, Infinity], tokens(1_000_000, T + 121 * S), 'no time'),
      plain(T + 121 * S, tb(9, 0, T / MS), 0, [8, 8, 1, Infinity], tokens(1_000_000, T + 121 * S)),
    ],
  },
  {
    name: 'a version that is a time to come, or just no time, lives on',
    steps: [
      plain(T, tb(10, 0, T / MS + 3_600_000), 5, [0, 5, 5, Infinity], tokens(5_000_000, T)),
      plain(T + HOUR + 120 * S, tb(4, 0), 1, [5, 6, 4, Infinity], tokens(4_000_000, T + HOUR + 120 * S)),
      plain(
        T + HOUR + 121 * S,
        tb(4, 0, 2 ** 40 - 1),
        1,
        [0, 1, 3, Infinity],
        tokens(3_000_000, T + HOUR + 121 * S),
      ),
      plain(T + HOUR + 121 * S, tb(9, 0), 1, [1, 2, 2, Infinity], tokens(2_000_000, T + HOUR + 121 * S)),
    ],
  },
  {
    name: 'one token a day',
    steps: [
      plain(T, PER_DAY, 1, [0, 1, 0, 86_400_000_002], tokens(0, T)),
      plain(T + DAY - S, PER_DAY, 1, [0.000012, 1.000012, 0, 1_036_801, 1_036_801], tokens(0, T)),
      plain(T + DAY + 2, PER_DAY, 1, [0, 1, 0, 86_400_000_002], tokens(0, T + DAY + 2)),
    ],
  },
  {
    name: 'one token a year',
    steps: [
      plain(T, PER_YEAR, 1, [0, 1, 0, 31_536_000_123_473], tokens(0, T)),
      plain(
        T + YEAR / 2,
        PER_YEAR,
        1,
        [0.500001, 0.500001 + 1, 0, 15_768_031_597_737, 15_768_031_597_737],
        tokens(0, T),
      ),
      plain(T + YEAR + S, PER_YEAR, 1, [0, 1, 0, 31_536_000_123_473], tokens(0, T + YEAR + S)),
    ],
  },
  {
    name: 'the largest limit, refilled in a second',
    steps: [
      plain(T, tb(MAX, MAX * S), MAX, [0, MAX, 0, 1 * S], tokens(0, T)),
      plain(
        T + 1,
        tb(MAX, MAX * S),
        4_294,
        [MAX - 4_294.967295, MAX - 0.967295, 0, 1 * S],
        tokens(967_295, T + 1),
      ),
      plain(T + 10 * S, tb(MAX, MAX * S), 1, [0, 1, MAX - 1, 1], tokens((MAX - 1) * S, T + 10 * S)),
    ],
  },
  {
    name: 'the largest limit a millisecond, over ten years',
    steps: [
      plain(T, tb(MAX, 4_294_967_294_999_999_488), MAX, [0, MAX, 0, 1_001], tokens(0, T)),
      plain(
        T + 10 * YEAR,
        tb(MAX, 4_294_967_294_999_999_488),
        1,
        [0, 1, MAX - 1, 1],
        tokens((MAX - 1) * S, T + 10 * YEAR),
      ),
    ],
  },
];
