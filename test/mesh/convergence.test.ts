/** Whatever a client and the snapshots do, in whatever order: in the end the client has what it asks for. */
import fc from 'fast-check';
import { DeltaStream } from '../../src/mesh/delta-stream';
import { SotwStream } from '../../src/mesh/sotw-stream';
import { snapshotOf, type Snapshot } from '../../src/mesh/snapshot-cache';
import type { StreamResponse } from '../../src/mesh/stream-state';
import { resource, TYPES } from './resources';

const LETTERS = ['C', 'E', 'L', 'R'] as const;
type Letter = (typeof LETTERS)[number];
const NAMES = ['a', 'b', 'c'];

type Step =
  | { readonly do: 'set'; readonly contents: readonly (readonly number[])[] }
  | { readonly do: 'subscribe'; readonly type: number; readonly names: readonly string[] }
  | { readonly do: 'answer'; readonly refuse: boolean }
  | { readonly do: 'pull' };

const contents = fc.array(fc.array(fc.nat(3), { minLength: 3, maxLength: 3 }), {
  minLength: 4,
  maxLength: 4,
});
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('set' as const), contents }),
  fc.record({ do: fc.constant('subscribe' as const), type: fc.nat(3), names: fc.subarray(NAMES) }),
  fc.record({ do: fc.constant('answer' as const), refuse: fc.boolean() }),
  fc.record({ do: fc.constant('pull' as const) }),
);

/** Content 0 stands for a resource that is not there. */
function snapshotFrom(all: readonly (readonly number[])[]): Snapshot {
  return snapshotOf(
    LETTERS.flatMap((letter, type) =>
      NAMES.flatMap((name, index) => {
        const content = all[type]?.[index] ?? 0;
        return content === 0 ? [] : [resource(`${letter}:${name}${content}`)];
      }),
    ),
  );
}

/** A client of one variant: keeps what it was sent, subscribes by name, and answers in order. */
interface Client {
  update(snapshot: Snapshot): void;
  subscribe(letter: Letter, names: readonly string[]): void;
  pull(nowMs: number): StreamResponse | undefined;
  answer(response: StreamResponse, refuse: boolean): void;
  readonly has: ReadonlyMap<Letter, ReadonlyMap<string, string>>;
}

const letterOf = (typeUrl: string): Letter => LETTERS.find((one) => TYPES[one] === typeUrl) ?? 'C';

function sotwClient(): Client {
  const stream = new SotwStream(undefined);
  const wanted = new Map<Letter, readonly string[]>();
  const nonces = new Map<Letter, string>();
  const has = new Map<Letter, Map<string, string>>(LETTERS.map((one) => [one, new Map()]));
  const say = (letter: Letter, error?: string): void => {
    const base = { typeUrl: TYPES[letter], names: wanted.get(letter) ?? [], nonce: nonces.get(letter) ?? '' };
    stream.request(error === undefined ? base : { ...base, error }, 0);
  };
  return {
    has,
    update: (snapshot) => stream.update(snapshot),
    pull: (nowMs) => stream.pull(nowMs),
    subscribe: (letter, names) => {
      wanted.set(letter, names);
      for (const name of has.get(letter)?.keys() ?? [])
        if (!names.includes(name)) has.get(letter)?.delete(name);
      say(letter);
    },
    answer: (response, refuse) => {
      const letter = letterOf(response.typeUrl);
      nonces.set(letter, response.nonce);
      if (refuse) return say(letter, 'bad');
      if (letter === 'C' || letter === 'L') has.get(letter)?.clear();
      for (const { name, version } of response.resources) {
        if (wanted.get(letter)?.includes(name)) has.get(letter)?.set(name, version);
      }
      say(letter);
    },
  };
}

function deltaClient(): Client {
  const stream = new DeltaStream(undefined);
  const wanted = new Map<Letter, readonly string[]>();
  const has = new Map<Letter, Map<string, string>>(LETTERS.map((one) => [one, new Map()]));
  const say = (
    letter: Letter,
    change: {
      subscribe?: readonly string[];
      unsubscribe?: readonly string[];
      nonce?: string;
      error?: string;
    },
  ): void =>
    void stream.request(
      { typeUrl: TYPES[letter], subscribe: [], unsubscribe: [], initialVersions: {}, nonce: '', ...change },
      0,
    );
  return {
    has,
    update: (snapshot) => stream.update(snapshot),
    pull: (nowMs) => stream.pull(nowMs),
    subscribe: (letter, names) => {
      const before = wanted.get(letter) ?? [];
      wanted.set(letter, names);
      const gone = before.filter((name) => !names.includes(name));
      for (const name of gone) has.get(letter)?.delete(name);
      say(letter, { subscribe: names.filter((name) => !before.includes(name)), unsubscribe: gone });
    },
    answer: (response, refuse) => {
      const letter = letterOf(response.typeUrl);
      if (refuse) return say(letter, { nonce: response.nonce, error: 'bad' });
      for (const { name, version } of response.resources) {
        if (wanted.get(letter)?.includes(name)) has.get(letter)?.set(name, version);
      }
      for (const name of response.removed) has.get(letter)?.delete(name);
      say(letter, { nonce: response.nonce });
    },
  };
}

/** The subscription that both variants read alike: names, never an empty list that would be a legacy wildcard. */
const FIRST = ['a'];

function run(
  client: Client,
  steps: readonly Step[],
  last: readonly (readonly number[])[],
  removals: boolean,
): void {
  const wanted = new Map<Letter, readonly string[]>();
  const unanswered: StreamResponse[] = [];
  let nowMs = 0;
  for (const letter of LETTERS) {
    wanted.set(letter, FIRST);
    client.subscribe(letter, FIRST);
  }
  const pull = (): boolean => {
    nowMs += 10_000;
    const response = client.pull(nowMs);
    if (response === undefined) return false;
    expect(unanswered.map(({ typeUrl }) => typeUrl)).not.toContain(response.typeUrl);
    unanswered.push(response);
    return true;
  };
  const answer = (refuse: boolean): void => {
    const response = unanswered.shift();
    if (response !== undefined) client.answer(response, refuse);
  };
  for (const one of steps) {
    if (one.do === 'set') client.update(snapshotFrom(one.contents));
    else if (one.do === 'answer') answer(one.refuse);
    else if (one.do === 'pull') pull();
    else {
      const letter = LETTERS[one.type] ?? 'C';
      wanted.set(letter, one.names);
      client.subscribe(letter, one.names);
    }
  }
  // Content that was never refused, and a client that accepts from now on.
  const final = snapshotFrom(last.map((type) => type.map((content) => (content === 0 ? 0 : content + 5))));
  client.update(final);
  let rounds = 0;
  while (unanswered.length > 0 || pull()) {
    answer(false);
    expect(++rounds).toBeLessThan(100);
  }
  for (const letter of LETTERS) {
    const there = final.get(TYPES[letter])?.resources;
    const expected = (wanted.get(letter) ?? []).flatMap((name) => {
      const found = there?.get(name);
      return found === undefined ? [] : [[name, found.version]];
    });
    const got = [...(client.has.get(letter) ?? [])].filter(
      // State of the world cannot say that endpoints or routes are gone: those are kept.
      ([name]) => removals || letter === 'C' || letter === 'L' || there?.has(name),
    );
    expect([letter, Object.fromEntries(got)]).toEqual([letter, Object.fromEntries(expected)]);
  }
}

test.each([
  ['state of the world', sotwClient, false],
  ['incremental', deltaClient, true],
])(
  '%s: a client converges to the snapshot, with one response in flight a type',
  (_name, client, removals) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), contents, (steps, last) =>
        run(client(), steps, last, removals),
      ),
      { numRuns: 400 },
    );
  },
);
