/** The state-of-the-world variant as scripts: what a client says, what changes, and what it is answered. */
import { SotwStream } from '../../src/mesh/sotw-stream';
import type { StreamResponse } from '../../src/mesh/stream-state';
import { shown, snapshot, TYPES, versionsOf, type Letter } from './resources';

/**
 * Steps: `= C:a1 E:a1` sets the snapshot; `C? a b` asks with the nonce last read; `C+` acknowledges; `C- why` refuses;
 * `C~ a` asks with an old nonce; `C0 a` asks without one; `wait 5000` lets time pass; `beat`. Expected: all responses that
 * follow, as `C[a1 b1]`, heartbeats as `T<a1>`.
 */
type Script = readonly (readonly [step: string, answers: string])[];

// prettier-ignore
const CASES: readonly (readonly [string, Script])[] = [
  ['a legacy wildcard gets all clusters', [['= C:a1 C:b1', ''], ['C?', 'C[a1 b1]']]],
  ['a wildcard by name gets all clusters', [['= C:a1 C:b1', ''], ['C? *', 'C[a1 b1]']]],
  ['a wildcard with nothing there is answered with nothing', [['= E:a1', ''], ['C?', 'C[]']]],
  ['nothing is said before the first snapshot', [['C?', ''], ['= C:a1', 'C[a1]']]],
  ['clusters by name get those that exist', [['= C:a1 C:b1', ''], ['C? a x', 'C[a1]']]],
  ['endpoints come by name only', [['= E:a1 E:b1', ''], ['E? a', 'E[a1]']]],
  ['no names is no subscription to endpoints', [['= E:a1', ''], ['E?', '']]],
  ['endpoints by wildcard', [['= E:a1 E:b1', ''], ['E? *', 'E[a1 b1]']]],
  ['an acknowledgement gets no answer', [['= C:a1', ''], ['C?', 'C[a1]'], ['C+', '']]],
  ['a change is sent in full', [['= C:a1 C:b1', ''], ['C?', 'C[a1 b1]'], ['C+', ''], ['= C:a2 C:b1', 'C[a2 b1]']]],
  ['only subscribed endpoints are sent', [['= E:a1 E:b1', ''], ['E? a', 'E[a1]'], ['E+', ''], ['= E:a1 E:b2', '']]],
  ['all subscribed endpoints are sent when one changes', [['= E:a1 E:b1', ''], ['E? a b', 'E[a1 b1]'], ['E+', ''], ['= E:a1 E:b2', 'E[a1 b2]']]],
  ['an unchanged snapshot is not sent', [['= C:a1', ''], ['C?', 'C[a1]'], ['C+', ''], ['= C:a1', '']]],
  ['removal of a cluster is told by its absence', [['= C:a1 C:b1', ''], ['C?', 'C[a1 b1]'], ['C+', ''], ['= C:a1', 'C[a1]']]],
  ['removal of the last cluster is told', [['= C:a1', ''], ['C?', 'C[a1]'], ['C+', ''], ['=', 'C[]']]],
  ['removal of endpoints cannot be told', [['= E:a1', ''], ['E? a', 'E[a1]'], ['E+', ''], ['=', '']]],
  ['endpoints that come later are sent', [['= E:b1', ''], ['E? a', ''], ['= E:a1', 'E[a1]']]],
  ['one response is in flight, then the newest state', [['= C:a1', ''], ['C?', 'C[a1]'], ['= C:a2', ''], ['= C:a3', ''], ['C+', 'C[a3]']]],
  ['a stale nonce is not answered', [['= E:a1 E:b1', ''], ['E? a', 'E[a1]'], ['E+ a', ''], ['= E:a2 E:b1', 'E[a2]'], ['E~ a b', ''], ['E+ a b', 'E[a2 b1]']]],
  ['a refusal parks the version', [['= C:a1', ''], ['C?', 'C[a1]'], ['C- bad', ''], ['= C:a1', '']]],
  ['a refused version is not sent when asked for again', [['= E:a1', ''], ['E? a', 'E[a1]'], ['E- bad', ''], ['E? a', '']]],
  ['after a refusal the next change is sent', [['= C:a1', ''], ['C?', 'C[a1]'], ['C- bad', ''], ['= C:a2', 'C[a2]']]],
  ['after a refusal the way back is sent', [['= C:a1', ''], ['C?', 'C[a1]'], ['C+', ''], ['= C:a2', 'C[a2]'], ['C- bad', ''], ['= C:a1', 'C[a1]']]],
  ['a refusal of one type holds no other', [['= C:a1 E:a1', ''], ['C?', 'C[a1]'], ['C- bad', ''], ['E? a', 'E[a1]']]],
  ['a change that waited for a refusal is sent', [['= C:a1', ''], ['C?', 'C[a1]'], ['= C:a2', ''], ['C- bad', 'C[a2]']]],
  ['a refused set without the bad one is sent', [['= E:a1 E:b1', ''], ['E? a b', 'E[a1 b1]'], ['E- bad', ''], ['E? a', 'E[a1]']]],
  ['a name added with an acknowledgement is answered', [['= E:a1 E:b1', ''], ['E? a', 'E[a1]'], ['E+ a b', 'E[a1 b1]']]],
  ['a name added later is answered', [['= E:a1 E:b1', ''], ['E? a', 'E[a1]'], ['E+', ''], ['E? a b', 'E[a1 b1]']]],
  ['a name given up is not answered', [['= E:a1 E:b1', ''], ['E? a b', 'E[a1 b1]'], ['E+', ''], ['E? a', '']]],
  ['a name asked for again is answered though unchanged', [['= E:a1 E:b1', ''], ['E? a b', 'E[a1 b1]'], ['E+', ''], ['E? a', ''], ['E? a b', 'E[a1 b1]']]],
  ['the same question again is answered: a cluster warms', [['= E:a1', ''], ['E? a', 'E[a1]'], ['E+', ''], ['E? a', 'E[a1]']]],
  ['a changed cluster gets its endpoints again', [['= C:a1 E:a1', ''], ['C?', 'C[a1]'], ['C+', ''], ['E? a', 'E[a1]'], ['E+', ''], ['= C:a2 E:a1', 'C[a2] E[a1]']]],
  ['a new cluster waits for its own question', [['= C:a1 E:a1 E:b1', ''], ['C?', 'C[a1]'], ['C+', ''], ['E? a', 'E[a1]'], ['E+', ''], ['= C:a1 C:b1 E:a1 E:b1', 'C[a1 b1]'], ['E? a b', 'E[a1 b1]']]],
  ['all names given up: nothing more', [['= E:a1', ''], ['E? a', 'E[a1]'], ['E+', ''], ['E?', ''], ['= E:a2', '']]],
  ['an empty list after names is no wildcard', [['= C:a1 C:b1', ''], ['C? a', 'C[a1]'], ['C+', ''], ['C?', ''], ['= C:a2 C:b2', '']]],
  ['a legacy wildcard ends with the first name', [['= C:a1 C:b1', ''], ['C?', 'C[a1 b1]'], ['C+', ''], ['C? a', 'C[a1]'], ['C+ a', ''], ['= C:a1 C:b2', '']]],
  ['a wildcard and a name is a wildcard', [['= C:a1 C:b1', ''], ['C? * a', 'C[a1 b1]'], ['C+ * a', ''], ['= C:a1 C:b2', 'C[a1 b2]']]],
  ['clusters go before endpoints, listeners, routes, runtime', [['T? t', ''], ['R? r', ''], ['L?', ''], ['E? a', ''], ['C?', ''], ['= T:t1 R:r1 L:l1 E:a1 C:a1', 'C[a1] E[a1] T[t1]'], ['C+', 'L[l1] R[r1]']]],
  ['routes wait for clusters no longer than the bound', [['= C:a1 R:r1', ''], ['C?', 'C[a1]'], ['R? r', ''], ['wait 4999', ''], ['wait 1', 'R[r1]']]],
  ['a refusal of clusters lets routes go', [['= C:a1 R:r1', ''], ['C?', 'C[a1]'], ['R? r', ''], ['C- bad', 'R[r1]']]],
  ['a cluster goes only when routes that may use it are accepted', [['= C:a1 C:b1 R:r1', ''], ['C?', 'C[a1 b1]'], ['C+', ''], ['R? r', 'R[r1]'], ['R+', ''], ['= C:a1 R:r2', 'R[r2]'], ['R+', 'C[a1]']]],
  ['what comes goes at once, what goes goes last', [['= C:a1 R:r1', ''], ['C?', 'C[a1]'], ['C+', ''], ['R? r', 'R[r1]'], ['R+', ''], ['= C:b1 R:r2', 'C[a1 b1]'], ['C+', 'R[r2]'], ['R+', 'C[b1]']]],
  ['a cluster waits for listeners as well', [['= C:a1 C:b1 L:l1', ''], ['C?', 'C[a1 b1]'], ['C+', ''], ['L?', 'L[l1]'], ['L+', ''], ['= C:a1 L:l2', 'L[l2]'], ['L+', 'C[a1]']]],
  ['a refusal of routes keeps a cluster for the bound', [['= C:a1 C:b1 R:r1', ''], ['C?', 'C[a1 b1]'], ['C+', ''], ['R? r', 'R[r1]'], ['R+', ''], ['= C:a1 R:r2', 'R[r2]'], ['R- bad', ''], ['wait 4999', ''], ['wait 1', 'C[a1]']]],
  ['a cluster that is back before routes are accepted never goes', [['= C:a1 C:b1 R:r1', ''], ['C?', 'C[a1 b1]'], ['C+', ''], ['R? r', 'R[r1]'], ['R+', ''], ['= C:a1 R:r2', 'R[r2]'], ['= C:a1 C:b1 R:r2', ''], ['R+', '']]],
  ['a cluster that the client never had does not come late', [['= C:a1 R:r1', ''], ['C?', 'C[a1]'], ['R? r', ''], ['= C:a1 C:b1 R:r1', ''], ['= C:a1 R:r2', ''], ['C+', 'R[r2]'], ['R+', '']]],
  ['a question without a nonce counts', [['= E:a1 E:b1', ''], ['E? a', 'E[a1]'], ['E+', ''], ['E0 a b', 'E[a1 b1]']]],
  ['a first question with a nonce of another stream counts', [['= C:a1', ''], ['C~', 'C[a1]']]],
  ['a living runtime layer beats', [['= T:t1!5000', ''], ['T? t', 'T[t1]'], ['T+', ''], ['beat', 'T<t1>'], ['T+', '']]],
  ['what has no time to live does not beat', [['= T:t1', ''], ['T? t', 'T[t1]'], ['T+', ''], ['beat', '']]],
  ['what was not accepted does not beat', [['= T:t1!5000', ''], ['T? t', 'T[t1]'], ['T- bad', ''], ['beat', '']]]];

function play(script: Script): void {
  const stream = new SotwStream(undefined);
  const versions = versionsOf(
    script.flatMap(([step]) => (step.startsWith('= ') ? step.slice(2).split(' ') : [])),
  );
  const nonces = new Map<string, string>();
  const names = new Map<string, readonly string[]>();
  let nowMs = 0;
  const say = (letter: Letter, list: readonly string[], nonce: string, error?: string): void => {
    names.set(letter, list);
    const base = { typeUrl: TYPES[letter], names: list, nonce };
    stream.request(error === undefined ? base : { ...base, error }, nowMs);
  };
  const act = (step: string): void => {
    const [, letter, sign, rest = ''] = /^([CELRT])([?+~0-]) ?(.*)$/.exec(step) ?? [];
    const list = rest.split(' ').filter(Boolean);
    const kept = names.get(letter ?? '') ?? [];
    const nonce = nonces.get(letter ?? '') ?? '';
    if (step.startsWith('=')) stream.update(snapshot(step.slice(1).trim()));
    else if (step.startsWith('wait')) nowMs += Number(step.slice(5));
    else if (step === 'beat') stream.beat();
    else if (sign === '-') say(letter as Letter, kept, nonce, rest);
    else if (sign === '+') say(letter as Letter, rest === '' ? kept : list, nonce);
    else say(letter as Letter, list, { '?': nonce, '~': 'old', '0': '' }[sign ?? ''] ?? '');
  };
  const show = (response: StreamResponse): string => {
    const letter = Object.entries(TYPES).find(([, url]) => url === response.typeUrl)?.[0] ?? '';
    nonces.set(letter, response.nonce);
    const inner = shown(response.resources, versions);
    return response.heartbeat ? `${letter}<${inner}>` : `${letter}[${inner}]`;
  };
  for (const [step, answers] of script) {
    act(step);
    const got: string[] = [];
    for (let one = stream.pull(nowMs); one !== undefined; one = stream.pull(nowMs)) got.push(show(one));
    expect([step, got.join(' ')]).toEqual([step, answers]);
  }
}

describe('state of the world', () => {
  test.each(CASES)('%s', (_name, script) => play(script));

  test('a refusal is kept and shown until a later version is accepted', () => {
    const stream = new SotwStream(snapshot('C:a1'));
    const ask = { typeUrl: TYPES.C, names: [], nonce: '' };
    stream.request(ask, 0);
    const first = stream.pull(0);
    stream.request({ ...ask, nonce: first?.nonce ?? '', error: 'x'.repeat(9_000) }, 7);
    const [refused] = stream.view();
    expect(refused?.rejection).toMatchObject({ version: first?.version, atMs: 7 });
    expect(refused?.rejection?.message).toHaveLength(2_000);
    stream.update(snapshot('C:a2'));
    const second = stream.pull(8);
    expect(stream.view()[0]?.rejection).toBeDefined();
    const outcome = stream.request({ ...ask, nonce: second?.nonce ?? '' }, 11);
    expect(outcome).toEqual({ kind: 'acked', version: second?.version, afterMs: 3 });
    expect(stream.view()[0]).toMatchObject({ ackedVersion: second?.version, pending: false });
    expect(stream.view()[0]?.rejection).toBeUndefined();
  });

  test('bounds names and types, and refuses a request without a type', () => {
    const stream = new SotwStream(undefined, { maxNames: 2, maxTypes: 1 });
    const ask = (typeUrl: string, names: readonly string[]) => () =>
      stream.request({ typeUrl, names, nonce: '' }, 0);
    expect(ask('', [])).toThrow('needs a type_url');
    expect(ask(TYPES.E, ['a', 'b', 'c'])).toThrow('more than 2');
    expect(ask(TYPES.E, ['a', 'b'])).not.toThrow();
    expect(ask(TYPES.C, [])).toThrow('more than 1 types');
  });
});
