/** Rollouts made ready to learn from: everything in a row, normalised, with advantages. */
import type { ServiceBatch } from '../network/service-batch';
import { roomFor } from '../network/service-batch';
import type { ValueNetwork } from '../network/value-network';
import type { EnvironmentShape } from '../environment';
import { advantages } from './advantage';
import type { Rollout, Segment } from './rollout';
import { normalise, type ObservationScales } from './scales';

/** Observations valued at once. */
const VALUED_AT_ONCE = 256;

/** How advantages are made. */
export interface ExperienceSettings {
  readonly discount: number;
  readonly traceDecay: number;
  /** Rewards are multiplied by this, then kept within the clip. */
  readonly rewardScale: number;
  readonly rewardClip: number;
}

/** Steps of all rollouts, in their order. */
export class Experience {
  readonly steps: number;
  /** All that was seen, also after last steps. */
  readonly seen: ServiceBatch;
  /** For each step, which of what was seen it acted on. */
  readonly seenAt: Int32Array;
  /** For each step, the row of its first service among acted-on services, and in the end their number. */
  readonly actedFrom: Int32Array;
  readonly actions: Float64Array;
  readonly logProbabilities: Float64Array;
  /** Of all that was seen, as the critic thought of it. */
  readonly values: Float64Array;
  readonly advantages: Float64Array;
  /** For each acted-on service. */
  readonly credits: Float64Array;
  /** What values ought to have been, for each step. */
  readonly returns: Float64Array;

  constructor(
    private readonly shape: EnvironmentShape,
    rollouts: readonly Rollout[],
    scales: ObservationScales,
    critic: { readonly network: ValueNetwork; readonly weights: Float64Array },
    settings: ExperienceSettings,
  ) {
    const segments = rollouts.flatMap((rollout) => rollout.segments);
    this.steps = segments.reduce((sum, segment) => sum + segment.steps, 0);
    this.seenAt = new Int32Array(this.steps);
    this.actedFrom = new Int32Array(this.steps + 1);
    this.seen = this.index(segments, scales);
    this.actions = joined(segments.map((segment) => segment.actions));
    this.logProbabilities = joined(segments.map((segment) => segment.logProbabilities));
    this.credits = joined(segments.map((segment) => segment.credits));
    this.values = this.valued(critic);
    this.advantages = new Float64Array(this.steps);
    this.estimate(segments, settings);
    this.returns = this.advantages.map((advantage, step) => advantage + this.values[this.seenAt[step]!]!);
  }

  /** Copies some of the steps' observations into a batch. */
  gather(steps: Int32Array, from: number, end: number, into: MinibatchRoom): ServiceBatch {
    const { seen, seenAt, shape } = this;
    return into.take(shape, seen, end - from, (sample) => seenAt[steps[from + sample]!]!);
  }

  private index(segments: readonly Segment[], scales: ObservationScales): ServiceBatch {
    const { serviceFeatures, globalFeatures } = this.shape;
    const samples = this.steps + segments.length;
    const starts = new Int32Array(samples + 1);
    let sample = 0;
    let step = 0;
    for (const segment of segments) {
      for (let at = 0; at <= segment.steps; at += 1, sample += 1) {
        starts[sample + 1] = starts[sample]! + segment.services[at]!;
        if (at === segment.steps) continue;
        this.seenAt[step] = sample;
        this.actedFrom[step + 1] = this.actedFrom[step]! + segment.services[at]!;
        step += 1;
      }
    }
    const perService = new Float64Array(starts[samples]! * serviceFeatures);
    const global = new Float64Array(samples * globalFeatures);
    let perServiceAt = 0;
    let globalAt = 0;
    for (const segment of segments) {
      const rows = segment.services.reduce((sum, services) => sum + services, 0);
      normalise(scales.perService, scales.clip, segment.perService, rows, perService, perServiceAt);
      normalise(scales.global, scales.clip, segment.global, segment.steps + 1, global, globalAt);
      perServiceAt += rows * serviceFeatures;
      globalAt += (segment.steps + 1) * globalFeatures;
    }
    return { samples, starts, perService, global };
  }

  private valued(critic: { readonly network: ValueNetwork; readonly weights: Float64Array }): Float64Array {
    const { seen, shape } = this;
    const values = new Float64Array(seen.samples);
    const room = new MinibatchRoom();
    for (let from = 0; from < seen.samples; from += VALUED_AT_ONCE) {
      const count = Math.min(VALUED_AT_ONCE, seen.samples - from);
      critic.network.forward(
        room.take(shape, seen, count, (sample) => from + sample),
        critic.weights,
      );
      values.set(critic.network.values.subarray(0, count), from);
    }
    return values;
  }

  private estimate(segments: readonly Segment[], settings: ExperienceSettings): void {
    const { rewardScale, rewardClip } = settings;
    let step = 0;
    let sample = 0;
    for (const { rewards, terminated, steps } of segments) {
      const scaled = rewards.map((reward) =>
        Math.max(-rewardClip, Math.min(rewardClip, reward * rewardScale)),
      );
      const values = this.values.subarray(sample, sample + steps + 1);
      advantages(scaled, values, terminated, settings, this.advantages, step);
      step += steps;
      sample += steps + 1;
    }
  }
}

/** Room for a batch of samples picked from others, used again and again. */
export class MinibatchRoom {
  private starts = new Int32Array(0);
  private perService: Float64Array = new Float64Array(0);
  private global: Float64Array = new Float64Array(0);

  /** Copies `count` samples, each from where `which` says. */
  take(
    { serviceFeatures, globalFeatures }: EnvironmentShape,
    from: ServiceBatch,
    count: number,
    which: (sample: number) => number,
  ): ServiceBatch {
    if (this.starts.length < count + 1) this.starts = new Int32Array(count + 1);
    const { starts } = this;
    for (let sample = 0; sample < count; sample += 1) {
      const place = which(sample);
      starts[sample + 1] = starts[sample]! + from.starts[place + 1]! - from.starts[place]!;
    }
    this.perService = roomFor(this.perService, starts[count]! * serviceFeatures);
    this.global = roomFor(this.global, count * globalFeatures);
    const { perService, global } = this;
    for (let sample = 0; sample < count; sample += 1) {
      const place = which(sample);
      let to = starts[sample]! * serviceFeatures;
      const end = from.starts[place + 1]! * serviceFeatures;
      for (let at = from.starts[place]! * serviceFeatures; at < end; at += 1, to += 1) {
        perService[to] = from.perService[at]!;
      }
      for (let feature = 0; feature < globalFeatures; feature += 1) {
        global[sample * globalFeatures + feature] = from.global[place * globalFeatures + feature]!;
      }
    }
    return { samples: count, starts, perService, global };
  }
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
