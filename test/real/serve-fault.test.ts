import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryPath } from '../parts/paths';

const PORTS = { TIDEGATE_DATA_PORT: '0', TIDEGATE_ADMIN_PORT: '0', TIDEGATE_CONTROL_PORT: '0' };

describe('a fault that nothing catches', () => {
  it('drains and ends the process with exit code 1, so that whoever watches it starts it again', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'tidegate-fault-'));
    const preload = join(dir, 'fault.js');
    writeFileSync(preload, "process.on('SIGUSR2', () => { throw new Error('struck'); });\n");
    const args = ['--require', preload, repositoryPath('dist/main.js'), 'serve'];
    const child = spawn(process.execPath, args, {
      env: { ...process.env, ...PORTS, TIDEGATE_HISTORY_PATH: 'none' },
    });
    let output = '';
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    const ready = new Promise<void>((resolve) => {
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (output.includes('"msg":"ready"')) resolve();
      });
    });
    try {
      await ready;
      child.kill('SIGUSR2');
      const [code] = (await once(child, 'close')) as [number | null];
      expect(code).toBe(1);
      expect(output).toContain('"msg":"stopped"');
      expect(errors).toContain('TG_INTERNAL');
      expect(errors).toContain('struck');
    } finally {
      child.kill('SIGKILL');
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
