import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { repositoryPath } from '../parts/paths';

const { scripts } = JSON.parse(readFileSync(repositoryPath('package.json'), 'utf8')) as {
  scripts: Readonly<Record<string, string>>;
};

describe('npm start', () => {
  it('hands signals on: the shell that npm starts gives way to Tidegate, which stops as asked', async () => {
    const env = {
      ...process.env,
      TIDEGATE_DATA_PORT: '0',
      TIDEGATE_ADMIN_PORT: '0',
      TIDEGATE_CONTROL_PORT: '0',
      TIDEGATE_HISTORY_PATH: 'none',
    };
    const child = spawn('sh', ['-c', scripts['start'] ?? ''], { cwd: repositoryPath(), env });
    let output = '';
    const ready = new Promise<void>((resolve) => {
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (output.includes('"msg":"ready"')) resolve();
      });
    });
    try {
      await ready;
      child.kill('SIGTERM');
      const [code] = (await once(child, 'close')) as [number | null];
      expect(code).toBe(0);
      expect(output).toContain('"msg":"stopped"');
    } finally {
      child.kill('SIGKILL');
    }
  });
});
