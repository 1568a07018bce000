/**
 * Scripts and commands on the keys of one slot, in time or not at all. Unlike a decision, what is asked here may be asked
 * again: redirections are followed, and a script that the node does not have is sent whole.
 */
import { TidegateError } from '../../core/errors';
import { readFailure, toStoreError } from './driver-error';
import type { RedisNode } from './redis-node';
import type { RedisRouter } from './router';
import type { LuaScript } from './scripts';

/** An argument of a command. */
export type Argument = string | Buffer;

const MAX_REDIRECTIONS = 3;

/** See the file's head. */
export class SlotCommands {
  constructor(
    private readonly router: RedisRouter,
    private readonly slot: number,
    /** For a whole call, ms. */
    private readonly timeoutMs: number,
    /** What is asked, for messages. */
    private readonly what = 'the group',
  ) {}

  /** Runs a script. Rejects with a TidegateError TG_STORE_*. */
  run(script: LuaScript, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    const rest = [String(keys.length), ...keys, ...args];
    return this.inTime(async () => {
      try {
        return await this.follow('evalsha', [script.sha, ...rest]);
      } catch (thrown) {
        if (readFailure(thrown).kind !== 'no-script') throw thrown;
        return await this.follow('eval', [script.source, ...rest]);
      }
    });
  }

  /** Sends a command, whose reply is bytes. Rejects with a TidegateError TG_STORE_*. */
  send(name: string, args: readonly Argument[]): Promise<unknown> {
    return this.inTime(() => this.follow(name, args));
  }

  private async follow(name: string, args: readonly Argument[]): Promise<unknown> {
    let node = this.router.nodeFor({ slot: this.slot });
    let asking = false;
    for (let redirection = 0; ; redirection += 1) {
      if (node === undefined) {
        this.router.suspect();
        throw new TidegateError('TG_STORE_UNAVAILABLE', `no Redis node serves slot ${this.slot}`);
      }
      try {
        return await node.ask(name, args, asking);
      } catch (thrown) {
        const next: RedisNode | undefined =
          redirection < MAX_REDIRECTIONS ? this.redirected(thrown, node) : undefined;
        if (next === undefined) throw named(thrown, node.name);
        asking = readFailure(thrown).kind === 'ask';
        node = next;
      }
    }
  }

  /** The node that an error reply names. */
  private redirected(thrown: unknown, from: RedisNode): RedisNode | undefined {
    const failure = readFailure(thrown);
    if (failure.kind !== 'moved' && failure.kind !== 'ask') return undefined;
    const node = this.router.nodeAt(failure.address, from);
    if (node !== undefined && failure.kind === 'moved') this.router.moved(failure.slot, node);
    return node;
  }

  private async inTime<T>(call: () => Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        const error = new TidegateError(
          'TG_STORE_TIMEOUT',
          `Redis did not answer ${this.what} within ${this.timeoutMs} ms`,
        );
        reject(error);
      }, this.timeoutMs);
    });
    try {
      return await Promise.race([call(), late]);
    } catch (thrown) {
      throw toStoreError(thrown, `slot ${this.slot}, for ${this.what}`);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Keeps NOSCRIPT readable for {@link readFailure}; everything else gets its code. */
function named(thrown: unknown, node: string): unknown {
  return readFailure(thrown).kind === 'no-script' ? thrown : toStoreError(thrown, node);
}
