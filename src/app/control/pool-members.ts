/** Who is in a pool: what its settings name, and the heavy keys of its rules as they come and go. */
import type { MemberPolicy } from '../../core/control';
import { keyMember, type MemberSetup, type PoolSetup } from './pool-setup';

/** Heavy keys of a pool's rules that are members, at most. */
const MAX_KEYS = 1_000;

/** See the file's head. Thousands of keys may come at once: what is made of all members is made once for all of them. */
export class PoolMembers {
  private readonly keys = new Map<string, MemberSetup>();
  private members = new Map<string, MemberSetup>();
  private templates: ReadonlyMap<string, MemberSetup> = new Map();
  private buckets: ReadonlyMap<string, string> | undefined;
  private named: ReadonlySet<string> | undefined;
  private changed = true;

  constructor(setup: PoolSetup) {
    this.use(setup);
  }

  /** By id, in their order. */
  get all(): ReadonlyMap<string, MemberSetup> {
    return this.members;
  }

  /** What the controller is to be told. */
  get policies(): readonly MemberPolicy[] {
    return Array.from(this.members.values(), ({ policy }) => policy);
  }

  /** Tokens that may be waited for, in the same order. */
  get queueLimits(): Float64Array {
    return Float64Array.from(this.members.values(), ({ queueLimit }) => queueLimit);
  }

  /** The services of all members. */
  get services(): ReadonlySet<string> {
    return (this.named ??= new Set(Array.from(this.members.values(), ({ policy }) => policy.service)));
  }

  /** The member that has a bucket. */
  idOf(bucketKey: string): string | undefined {
    this.buckets ??= new Map(
      Array.from(this.members.values(), ({ policy }) => [policy.bucketKey, policy.id]),
    );
    return this.buckets.get(bucketKey);
  }

  /** New settings or limits; keys whose rule is no longer in the pool leave. */
  use(setup: PoolSetup): void {
    this.templates = new Map(setup.templates.map((template) => [template.policy.ruleId, template]));
    for (const [id, { policy }] of this.keys) {
      const template = this.templates.get(policy.ruleId);
      if (template === undefined) this.keys.delete(id);
      else this.keys.set(id, keyMember(template, id));
    }
    this.members = new Map(
      [...setup.members, ...this.keys.values()].map((member) => [member.policy.id, member]),
    );
    this.change();
  }

  /** A heavy key of a rule is counted by itself now: where the rule belongs to the pool, it becomes a member. */
  keyAdded(classId: string, ruleId: string): void {
    const template = this.templates.get(ruleId);
    if (template === undefined || this.members.has(classId) || this.keys.size >= MAX_KEYS) return;
    const member = keyMember(template, classId);
    this.keys.set(classId, member);
    this.members.set(classId, member);
    this.change();
  }

  /** A key is counted by itself no more. */
  keyEnded(classId: string): void {
    if (!this.keys.delete(classId)) return;
    this.members.delete(classId);
    this.change();
  }

  /** Whether there was a change since this was asked last. */
  takeChange(): boolean {
    const { changed } = this;
    this.changed = false;
    return changed;
  }

  private change(): void {
    this.changed = true;
    this.buckets = undefined;
    this.named = undefined;
  }
}
