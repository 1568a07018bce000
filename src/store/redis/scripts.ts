/** The Lua scripts, read from the files beside this module. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';

/** A script and the hash that EVALSHA knows it by. */
export interface LuaScript {
  readonly source: string;
  readonly sha: string;
}

/** The files of decide.lua, in their order: a script of Redis is one text, and cannot load another. */
const DECIDE = [
  'algorithm.lua',
  'token-bucket.lua',
  'fixed-window.lua',
  'sliding-window.lua',
  'lease.lua',
  'decide.lua',
];

/**
 * Reads the script that decides.
 * @throws the file system's error when the installation is incomplete.
 */
export function loadDecideScript(): LuaScript {
  return loadScript(DECIDE);
}

/** What is done with token buckets beside decisions. */
export type AccountScript = 'levels' | 'transfer';

/** Reads a script of operations on token buckets. @throws as {@link loadDecideScript}. */
export function loadAccountScript(name: AccountScript): LuaScript {
  if (name === 'levels') return loadScript(['algorithm.lua', 'levels.lua']);
  return loadScript(['algorithm.lua', 'token-bucket.lua', 'token-account.lua', 'transfer.lua']);
}

/** What a group's members do in the store. */
export type GroupScript = 'tick' | 'leave' | 'publish' | 'show';

/** Reads a script of groups. @throws as {@link loadDecideScript}. */
export function loadGroupScript(name: GroupScript): LuaScript {
  return loadScript([`group-${name}.lua`]);
}

/** What a pool's processes do in the store. */
export type PoolScript = 'tick' | 'leave' | 'publish' | 'order';

/** Reads a script of pools. @throws as {@link loadDecideScript}. */
export function loadPoolScript(name: PoolScript): LuaScript {
  return loadScript(['pool-figures.lua', `pool-${name}.lua`]);
}

function loadScript(files: readonly string[]): LuaScript {
  const texts = files.map((name) => readFileSync(path.join(__dirname, 'lua', name), 'utf8'));
  const source = texts.join('');
  return { source, sha: createHash('sha1').update(source).digest('hex') };
}
