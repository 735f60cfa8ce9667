import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDataFolder } from './data-folder.ts';

let folder: string;
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'glacis-data-')), 'data');
});
afterEach(() => rm(join(folder, '..'), { recursive: true, force: true }));

describe('the data folder', () => {
  it('is its owner’s alone and keeps its secret', async () => {
    const first = await openDataFolder(folder);
    const second = await openDataFolder(folder);
    expect(first.isNew).toBe(true);
    expect(second.isNew).toBe(false);
    expect(Buffer.from(second.secret)).toEqual(Buffer.from(first.secret));
    expect(first.secret).toHaveLength(32);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, 'secret'))).mode & 0o777).toBe(0o600);
  });

  it('gives two that start at once the same secret', async () => {
    await openDataFolder(folder);
    await rm(join(folder, 'secret'));
    const both = await Promise.allSettled([openDataFolder(folder), openDataFolder(folder)]);
    const secrets = both.flatMap((each) =>
      each.status === 'fulfilled' ? [Buffer.from(each.value.secret).toString('hex')] : [],
    );
    expect(new Set(secrets).size).toBe(1);
  });

  it('refuses a secret that others can read, and one that is none', async () => {
    await openDataFolder(folder);
    await chmod(join(folder, 'secret'), 0o644);
    await expect(openDataFolder(folder)).rejects.toMatchObject({ code: 'option/invalid' });
    await chmod(join(folder, 'secret'), 0o600);
    await writeFile(join(folder, 'secret'), 'short');
    await expect(openDataFolder(folder)).rejects.toMatchObject({ code: 'option/invalid' });
  });
});
