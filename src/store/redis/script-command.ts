/** A command whose bytes are ready, sent by the driver in turn with its own. */
import { Command } from 'ioredis';

/** Told a reply, as bytes, or why there is none. */
export type CommandEnd = (error: unknown, reply: unknown) => void;

/** See the file's head. Nobody awaits the driver's promise: the end is told at once. */
export class ScriptCommand extends Command {
  constructor(
    private readonly bytes: Buffer,
    end: CommandEnd,
  ) {
    super('evalsha');
    this.resolve = (reply) => end(undefined, reply);
    this.reject = (error) => end(error, undefined);
  }

  override toWritable(): Buffer {
    return this.bytes;
  }
}
