/** A group with what resources say of it and the shares in force. */
import { TidegateError } from '../../core/errors';
import type { TrafficGroup } from '../../core/traffic';
import type { ClassShares } from './patched-resource';
import { DEFAULT_CLASS, type TargetGroup } from './target-groups';
import { normalised, usualShares, type Split } from './weight-split';

/** A share that is not what it was. */
export interface WeightChange {
  readonly group: string;
  readonly className: string;
  readonly target: string;
  readonly from: number;
  readonly to: number;
}

/** Shares this near to what is configured are what is configured. */
const EQUAL = 1e-9;

/** See the module. */
export class GroupState {
  /** What is configured, wherever the group's targets stand. */
  readonly splits: Split[] = [];
  readonly of: TargetGroup;
  /** As people see it; undefined while no resource has any of its targets. */
  shown: TrafficGroup | undefined;
  /** Configured shares on average, of the settings' rows. */
  usual: readonly number[] = [];
  /** In force, of the settings' rows; undefined: as configured. */
  shares: ClassShares | undefined;
  #places: readonly number[] = [];

  constructor(of: TargetGroup) {
    this.of = of;
  }

  /** The names of its classes, `default` last. */
  get classes(): readonly string[] {
    return [...this.of.classes.map(({ row }) => row.name), DEFAULT_CLASS];
  }

  /** Takes what was found: whether each row's target is anywhere. */
  settle(found: readonly boolean[]): void {
    const { name, targets, classes } = this.of;
    this.usual = usualShares(this.splits, targets.length);
    this.#places = targets.flatMap((_, target) => (found[target] === true ? [target] : []));
    if (this.#places.length === 0) return;
    const weights = this.#weights();
    this.shown = {
      name,
      targets: targets.flatMap(({ id, row: { backup, maxShare } }, at) =>
        found[at] === true ? [{ id, weight: weights[at] ?? 0, backup, maxShare }] : [],
      ),
      classes: [
        ...classes.map(({ row }) => ({ name: row.name, priority: row.priority })),
        { name: DEFAULT_CLASS, priority: 'LOW' },
      ],
    };
  }

  /**
   * Shares of what is shown as shares of all rows; undefined for what is configured.
   * @throws TidegateError TG_INTERNAL for another shape, or what are no numbers from 0.
   */
  expanded(given: ClassShares | undefined): ClassShares | undefined {
    if (given === undefined || this.shown === undefined) return undefined;
    const places = this.#places;
    const shaped =
      given.length === this.shown.classes.length &&
      given.every(
        (one) => one.length === places.length && one.every((share) => share >= 0 && share < Infinity),
      );
    if (!shaped)
      throw new TidegateError('TG_INTERNAL', `shares of group ${this.of.name} are not of its shape`);
    const configured = normalised(places.map((target) => this.usual[target] ?? 0));
    const same = given[0]?.every((share, at) => Math.abs(share - (configured[at] ?? 0)) < EQUAL);
    if (given.length === 1 && same === true) return undefined;
    return given.map((one) => {
      const all = new Array<number>(this.of.targets.length).fill(0);
      places.forEach((target, at) => (all[target] = one[at] ?? 0));
      return all;
    });
  }

  /** How shares differ from those in force. */
  changes(next: ClassShares | undefined): readonly WeightChange[] {
    if (this.shown === undefined || this.shares === next) return [];
    return this.shown.classes.flatMap(({ name: className }, place) =>
      this.of.targets.flatMap(({ id: target }, at) => {
        const from = (this.shares?.[place] ?? this.usual)[at] ?? 0;
        const to = (next?.[place] ?? this.usual)[at] ?? 0;
        return from === to ? [] : [{ group: this.of.name, className, target, from, to }];
      }),
    );
  }

  /** As the user wrote them where they are the same everywhere, else the averages of their parts. */
  #weights(): readonly number[] {
    const all = this.splits.map(({ entries }) =>
      this.of.targets.map((_, target) =>
        entries.reduce((total, entry) => total + (entry.target === target ? entry.configured : 0), 0),
      ),
    );
    const [first] = all;
    const same = first !== undefined && all.every((one) => one.every((weight, at) => weight === first[at]));
    return same ? first : this.usual;
  }
}
