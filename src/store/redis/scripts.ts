/** The Lua script, read once from the file beside this module. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';

/** A script and the hash that EVALSHA knows it by. */
export interface LuaScript {
  readonly source: string;
  readonly sha: string;
}

/**
 * Reads a script of this directory's `lua/`.
 * @throws the file system's error when the installation is incomplete.
 */
export function loadScript(name: string): LuaScript {
  const source = readFileSync(path.join(__dirname, 'lua', name), 'utf8');
  return { source, sha: createHash('sha1').update(source).digest('hex') };
}
