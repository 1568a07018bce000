// Copies what the compiler does not: Lua scripts stand beside the modules that load them.
import { cpSync, chmodSync } from 'node:fs';

cpSync('src/store/redis/lua', 'dist/store/redis/lua', { recursive: true });
chmodSync('dist/main.js', 0o755);
