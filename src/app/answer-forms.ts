/** What the limiter's answers are made into: each with how the call ended, for metrics. */
import { RlsCode, type RlsCurrentLimit, type RlsResponse } from '../core/rls';
import { type AnswerForm, PLAIN_ANSWERS } from '../limiter/answer';
import { AnswerBytes, encodeRateLimitResponse } from '../wire';

/** An answer, and how it ended. */
export interface Verdict<T> {
  readonly answer: T;
  readonly result: 'ok' | 'over_limit';
}

const resultOf = (code: RlsCode): Verdict<never>['result'] =>
  code === RlsCode.OVER_LIMIT ? 'over_limit' : 'ok';

/** Plain data. */
export const PLAIN: AnswerForm<Verdict<RlsResponse>> = {
  ofLimit: (overallCode, ...status) => ({
    answer: PLAIN_ANSWERS.ofLimit(overallCode, ...status),
    result: resultOf(overallCode),
  }),
  whole: (answer) => ({ answer, result: resultOf(answer.overallCode) }),
};

/** Messages without an object a call: each is only good until the next. */
export class MessageForm implements AnswerForm<Verdict<Uint8Array>> {
  private readonly bytes = new AnswerBytes();
  private readonly verdict: { answer: Uint8Array; result: 'ok' | 'over_limit' } = {
    answer: new Uint8Array(0),
    result: 'ok',
  };

  ofLimit(
    overallCode: RlsCode,
    code: RlsCode,
    limit: RlsCurrentLimit,
    remaining: number,
    resetS: number,
  ): Verdict<Uint8Array> {
    return this.of(overallCode, this.bytes.ofLimit(overallCode, code, limit, remaining, resetS));
  }

  whole(response: RlsResponse): Verdict<Uint8Array> {
    return this.of(response.overallCode, this.bytes.whole(response));
  }

  private of(code: RlsCode, answer: Uint8Array): Verdict<Uint8Array> {
    this.verdict.answer = answer;
    this.verdict.result = resultOf(code);
    return this.verdict;
  }
}

/** Messages, each in bytes of its own: made where all are, and copied. */
class KeptMessageForm implements AnswerForm<Verdict<Uint8Array>> {
  private readonly bytes = new AnswerBytes();

  ofLimit(...[overallCode, ...status]: Parameters<AnswerBytes['ofLimit']>): Verdict<Uint8Array> {
    const answer = Buffer.from(this.bytes.ofLimit(overallCode, ...status));
    return { answer, result: resultOf(overallCode) };
  }

  whole(response: RlsResponse): Verdict<Uint8Array> {
    return { answer: encodeRateLimitResponse(response), result: resultOf(response.overallCode) };
  }
}

/** See {@link KeptMessageForm}; one for all. */
export const KEPT_MESSAGES: AnswerForm<Verdict<Uint8Array>> = new KeptMessageForm();
