/** The incremental variant as scripts: what a client says, what changes, and what it is answered. */
import { DeltaStream } from '../../src/mesh/delta-stream';
import type { StreamResponse } from '../../src/mesh/stream-state';
import { resource, shown, snapshot, TYPES, versionsOf, type Letter } from './resources';

/**
 * Steps: `= C:a1 E:a1` sets the snapshot; `C? +a -b has:a1` subscribes, unsubscribes and says what the client holds; `C+`
 * acknowledges, `C- why` refuses; `C~ +a` subscribes with an old nonce. Expected: all responses that follow, as
 * `C[a1 b1]`, with what is removed after a minus, heartbeats as `T<a1>`.
 */
type Script = readonly (readonly [step: string, answers: string])[];

// prettier-ignore
const CASES: readonly (readonly [string, Script])[] = [
  ['a legacy wildcard gets all clusters', [['= C:a1 C:b1', ''], ['C?', 'C[a1 b1]']]],
  ['a wildcard by name gets all clusters', [['= C:a1 C:b1', ''], ['C? +*', 'C[a1 b1]']]],
  ['a wildcard with nothing there is answered', [['= E:a1', ''], ['C?', 'C[]']]],
  ['nothing is said before the first snapshot', [['C?', ''], ['= C:a1', 'C[a1]']]],
  ['endpoints come by name', [['= E:a1 E:b1', ''], ['E? +a', 'E[a1]']]],
  ['an empty first question for endpoints is no wildcard', [['= E:a1', ''], ['E?', '']]],
  ['an acknowledgement gets no answer', [['= C:a1', ''], ['C?', 'C[a1]'], ['C+', '']]],
  ['only what changed is sent', [['= C:a1 C:b1', ''], ['C?', 'C[a1 b1]'], ['C+', ''], ['= C:a2 C:b1', 'C[a2]']]],
  ['only what is new is sent', [['= C:a1', ''], ['C?', 'C[a1]'], ['C+', ''], ['= C:a1 C:b1', 'C[b1]']]],
  ['what is gone is removed', [['= C:a1 C:b1', ''], ['C?', 'C[a1 b1]'], ['C+', ''], ['= C:a1', 'C[]-b']]],
  ['a cluster and its endpoints go only when routes that may use them are accepted', [['= C:a1 C:b1 E:a1 E:b1 R:r1', ''], ['C?', 'C[a1 b1]'], ['C+', ''], ['E? +a +b', 'E[a1 b1]'], ['E+', ''], ['R? +r', 'R[r1]'], ['R+', ''], ['= C:a1 E:a1 R:r2', 'R[r2]'], ['R+', 'C[]-b E[]-b']]],
  ['what comes goes at once, what goes goes last', [['= C:a1 R:r1', ''], ['C?', 'C[a1]'], ['C+', ''], ['R? +r', 'R[r1]'], ['R+', ''], ['= C:b1 R:r2', 'C[b1]'], ['C+', 'R[r2]'], ['R+', 'C[]-a']]],
  ['a refusal of routes keeps a cluster for the bound', [['= C:a1 C:b1 R:r1', ''], ['C?', 'C[a1 b1]'], ['C+', ''], ['R? +r', 'R[r1]'], ['R+', ''], ['= C:a1 R:r2', 'R[r2]'], ['R- bad', ''], ['wait 4999', ''], ['wait 1', 'C[]-b']]],
  ['a cluster that is back before routes are accepted never goes', [['= C:a1 C:b1 R:r1', ''], ['C?', 'C[a1 b1]'], ['C+', ''], ['R? +r', 'R[r1]'], ['R+', ''], ['= C:a1 R:r2', 'R[r2]'], ['= C:a1 C:b1 R:r2', ''], ['R+', '']]],
  ['endpoints that are gone are removed', [['= E:a1', ''], ['E? +a', 'E[a1]'], ['E+', ''], ['=', 'E[]-a']]],
  ['an unchanged snapshot is not sent', [['= C:a1', ''], ['C?', 'C[a1]'], ['C+', ''], ['= C:a1', '']]],
  ['what does not exist is removed', [['= E:a1', ''], ['E? +x', 'E[]-x']]],
  ['what does not exist yet comes when it does', [['= E:a1', ''], ['E? +x', 'E[]-x'], ['E+', ''], ['= E:a1 E:x1', 'E[x1]']]],
  ['one response is in flight, then the difference', [['= C:a1', ''], ['C?', 'C[a1]'], ['= C:a2', ''], ['= C:a3', ''], ['C+', 'C[a3]']]],
  ['a change there and back in flight is not sent', [['= C:a1', ''], ['C?', 'C[a1]'], ['= C:a2', ''], ['= C:a1', ''], ['C+', '']]],
  ['a subscription added is answered with it alone', [['= E:a1 E:b1', ''], ['E? +a', 'E[a1]'], ['E+', ''], ['E? +b', 'E[b1]']]],
  ['a subscription again is answered though unchanged', [['= E:a1', ''], ['E? +a', 'E[a1]'], ['E+', ''], ['E? +a', 'E[a1]']]],
  ['a subscription with an old nonce counts', [['= E:a1 E:b1', ''], ['E? +a', 'E[a1]'], ['E+', ''], ['E~ +b', 'E[b1]']]],
  ['an old nonce acknowledges nothing', [['= E:a1 E:b1', ''], ['E? +a', 'E[a1]'], ['E~ +b', ''], ['E+', 'E[b1]']]],
  ['what is unsubscribed is not sent', [['= E:a1 E:b1', ''], ['E? +a +b', 'E[a1 b1]'], ['E+', ''], ['E? -b', ''], ['= E:a1 E:b2', '']]],
  ['unsubscribed and subscribed again is sent', [['= E:a1', ''], ['E? +a', 'E[a1]'], ['E+', ''], ['E? -a', ''], ['E? +a', 'E[a1]']]],
  ['unsubscribed under a wildcard is told that it stays', [['= C:a1', ''], ['C? +* +a', 'C[a1]'], ['C+', ''], ['C? -a', 'C[a1]']]],
  ['unsubscribed under a wildcard is told that it is gone', [['= C:a1', ''], ['C? +* +x', 'C[a1]-x'], ['C+', ''], ['C? -x', 'C[]-x']]],
  ['the wildcard given up leaves the names', [['= C:a1 C:b1', ''], ['C? +* +a', 'C[a1 b1]'], ['C+', ''], ['C? -*', ''], ['= C:a2 C:b2', 'C[a2]']]],
  ['the legacy wildcard given up leaves nothing', [['= C:a1', ''], ['C?', 'C[a1]'], ['C+', ''], ['C? -*', ''], ['= C:a2', '']]],
  ['a name beside a legacy wildcard keeps the wildcard', [['= C:a1 C:b1', ''], ['C?', 'C[a1 b1]'], ['C+', ''], ['C? +a', 'C[a1]'], ['C+', ''], ['= C:a1 C:b2', 'C[b2]']]],
  ['a wildcard that comes later is answered', [['= C:a1 C:b1', ''], ['C? +a', 'C[a1]'], ['C+', ''], ['C? +*', 'C[b1]']]],
  ['after reconnecting nothing unchanged is sent', [['= C:a1 C:b1', ''], ['C? has:a1 has:b1', '']]],
  ['after reconnecting what changed is sent', [['= C:a2 C:b1', ''], ['C? has:a1 has:b1', 'C[a2]']]],
  ['after reconnecting what is gone is removed', [['= C:a1', ''], ['C? has:a1 has:b1', 'C[]-b']]],
  ['after reconnecting names that are held are not sent', [['= E:a1 E:b1', ''], ['E? +a +b has:a1', 'E[b1]']]],
  ['after reconnecting a name that is gone is removed', [['= E:b1', ''], ['E? +a has:a1', 'E[]-a']]],
  ['what is held and not subscribed is nothing to us', [['= E:b1', ''], ['E? +b has:a1 has:b1', '']]],
  ['a refusal parks the version', [['= C:a1', ''], ['C?', 'C[a1]'], ['C- bad', ''], ['= C:a1 E:x1', '']]],
  ['a refusal does not hold other resources', [['= C:a1', ''], ['C?', 'C[a1]'], ['C- bad', ''], ['= C:a1 C:b1', 'C[b1]']]],
  ['after a refusal the next change is sent', [['= C:a1', ''], ['C?', 'C[a1]'], ['C- bad', ''], ['= C:a2', 'C[a2]']]],
  ['after a refusal the way back needs nothing', [['= C:a1', ''], ['C?', 'C[a1]'], ['C+', ''], ['= C:a2', 'C[a2]'], ['C- bad', ''], ['= C:a1', '']]],
  ['a refused resource asked for by name is sent', [['= E:a1', ''], ['E? +a', 'E[a1]'], ['E- bad', ''], ['E? +a', 'E[a1]']]],
  ['a refused removal is not repeated', [['= C:a1', ''], ['C?', 'C[a1]'], ['C+', ''], ['= E:x1', 'C[]-a'], ['C- bad', ''], ['= E:x2', '']]],
  ['a changed cluster gets its endpoints again', [['= C:a1 E:a1', ''], ['C?', 'C[a1]'], ['C+', ''], ['E? +a', 'E[a1]'], ['E+', ''], ['= C:a2 E:a1', 'C[a2] E[a1]']]],
  ['a changed cluster does not resend those of others', [['= C:a1 C:b1 E:a1 E:b1', ''], ['C?', 'C[a1 b1]'], ['C+', ''], ['E? +a +b', 'E[a1 b1]'], ['E+', ''], ['= C:a2 C:b1 E:a1 E:b1', 'C[a2] E[a1]']]],
  ['clusters go before endpoints, listeners, routes, runtime', [['T? +t', ''], ['R? +r', ''], ['L?', ''], ['E? +a', ''], ['C?', ''], ['= T:t1 R:r1 L:l1 E:a1 C:a1', 'C[a1] E[a1] T[t1]'], ['C+', 'L[l1] R[r1]']]],
  ['routes wait for clusters no longer than the bound', [['= C:a1 R:r1', ''], ['C?', 'C[a1]'], ['R? +r', ''], ['wait 4999', ''], ['wait 1', 'R[r1]']]],
  ['a living runtime layer beats', [['= T:t1!5000', ''], ['T? +t', 'T[t1]'], ['T+', ''], ['beat', 'T<t1>'], ['T+', '']]],
  ['what has no time to live does not beat', [['= T:t1', ''], ['T? +t', 'T[t1]'], ['T+', ''], ['beat', '']]],
];

function play(script: Script): void {
  const stream = new DeltaStream(undefined);
  const named = script.flatMap(([step]) => (step.startsWith('= ') ? step.slice(2).split(' ') : []));
  const versions = versionsOf(named);
  const nonces = new Map<string, string>();
  let nowMs = 0;
  const act = (step: string): void => {
    const [, letter, sign, rest = ''] = /^([CELRT])([?+~-]) ?(.*)$/.exec(step) ?? [];
    if (step.startsWith('=')) return stream.update(snapshot(step.slice(1).trim()));
    if (step.startsWith('wait')) return void (nowMs += Number(step.slice(5)));
    if (step === 'beat') return stream.beat();
    const words = sign === '-' ? [] : rest.split(' ').filter(Boolean);
    const after = (mark: string): string[] =>
      words.filter((word) => word.startsWith(mark)).map((word) => word.slice(mark.length));
    const held = after('has:').map((one) => resource(`${letter}:${one}`));
    const answers = { '+': nonces.get(letter ?? ''), '-': nonces.get(letter ?? ''), '~': 'old' };
    stream.request(
      {
        typeUrl: TYPES[letter as Letter],
        subscribe: after('+'),
        unsubscribe: after('-'),
        initialVersions: Object.fromEntries(held.map(({ name, version }) => [name, version])),
        nonce: answers[sign as '+'] ?? '',
        ...(sign === '-' ? { error: rest } : {}),
      },
      nowMs,
    );
  };
  const show = (response: StreamResponse): string => {
    const letter = Object.entries(TYPES).find(([, url]) => url === response.typeUrl)?.[0] ?? '';
    nonces.set(letter, response.nonce);
    const inner = shown(response.resources, versions);
    const gone = response.removed.length === 0 ? '' : `-${[...response.removed].sort().join('-')}`;
    return response.heartbeat ? `${letter}<${inner}>` : `${letter}[${inner}]${gone}`;
  };
  for (const [step, answers] of script) {
    act(step);
    const got: string[] = [];
    for (let one = stream.pull(nowMs); one !== undefined; one = stream.pull(nowMs)) got.push(show(one));
    expect([step, got.join(' ')]).toEqual([step, answers]);
  }
}

describe('incremental', () => {
  test.each(CASES)('%s', (_name, script) => play(script));

  test('bounds names and types, and refuses a request without a type', () => {
    let stream = new DeltaStream(undefined, { maxNames: 2, maxTypes: 1 });
    const ask = (typeUrl: string, subscribe: readonly string[]) => () =>
      stream.request({ typeUrl, subscribe, unsubscribe: [], initialVersions: {}, nonce: '' }, 0);
    expect(ask('', [])).toThrow('needs a type_url');
    expect(ask(TYPES.E, ['a', 'b', 'c'])).toThrow('more than 2');
    stream = new DeltaStream(undefined, { maxNames: 2, maxTypes: 1 });
    expect(ask(TYPES.E, ['a', 'b'])).not.toThrow();
    expect(ask(TYPES.C, [])).toThrow('more than 1 types');
  });
});
