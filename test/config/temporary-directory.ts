/** Directories and volumes for the tests of this folder. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { LimitsSource } from '../../src/config/limits-files';

/** A directory that lasts for one test. */
export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'tidegate-limits-'));
}

/** Writes files by their paths beneath a directory, in place. */
export function write(directory: string, files: Readonly<Record<string, string | Buffer>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), content);
  }
}

/** A source with the defaults of the settings. */
export function sourceOf(path: string, more: Partial<LimitsSource> = {}): LimitsSource {
  return {
    path,
    extensions: ['.yaml', '.yml'],
    recursive: false,
    prefix: '',
    ignoreDotFiles: true,
    maxFiles: 1_000,
    maxFileBytes: 65_536,
    ...more,
  };
}

/**
 * What the kubelet does for a mounted ConfigMap: the files of a version in a directory of their own, `..data` a
 * symlink to it, every visible name a symlink through `..data`; a new version is swapped in by renaming the symlink.
 * Source: Kubernetes, pkg/volume/util/atomic_writer.go.
 */
export class ConfigMapVolume {
  private version = 0;

  constructor(readonly path: string) {
    mkdirSync(path, { recursive: true });
  }

  publish(files: Readonly<Record<string, string>>): void {
    const previous = `..2026_01_01_00_00_0${this.version}`;
    this.version += 1;
    const current = `..2026_01_01_00_00_0${this.version}`;
    write(join(this.path, current), files);
    symlinkSync(current, join(this.path, '..data_tmp'));
    renameSync(join(this.path, '..data_tmp'), join(this.path, '..data'));
    if (this.version === 1)
      for (const name of Object.keys(files)) symlinkSync(join('..data', name), join(this.path, name));
    else rmSync(join(this.path, previous), { recursive: true });
  }
}
