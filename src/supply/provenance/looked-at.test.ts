import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GlacisError } from '../../core/error.ts';
import { lookedAt } from './looked-at.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'glacis-looked-at-'));
  writeFileSync(join(folder, 'b'), 'second');
  writeFileSync(join(folder, 'a'), 'first');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const sha256 = (...parts: readonly (string | Buffer)[]) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const options = {
  covers: (name: string) => name !== 'passed over',
  now: () => new Date('2026-11-22T00:00:00Z'),
};
const look = async (paths: readonly string[] = [folder], work: () => void = () => {}) =>
  lookedAt(paths, options, async () => {
    work();
    return { verdict: 'clean' };
  });

describe('a result', () => {
  it('says when it ended, and the digests that a signature over the same files names', async () => {
    const files = [sha256('first'), sha256('second')];
    const result = await look();
    expect(result).toMatchObject({ verdict: 'clean', finishedAt: '2026-11-22T00:00:00.000Z' });
    expect(result.model).toMatchObject({
      digest: `sha256:${sha256(...files).toString('hex')}`,
      digests: files.map((each) => `sha256:${each.toString('hex')}`),
    });
    const one = await look([join(folder, 'a')]);
    expect(one.model).toEqual({
      name: 'a',
      digest: `sha256:${sha256(sha256('first')).toString('hex')}`,
      digests: [`sha256:${sha256('first').toString('hex')}`],
    });
  });

  it.each<[string, () => Promise<{ readonly model: unknown }>]>([
    ['of several paths', () => look([join(folder, 'a'), join(folder, 'b')])],
    ['of nothing that is there', () => look([join(folder, 'none')])],
    [
      'of a file that changed while it was looked at',
      () => look([folder], () => appendFileSync(join(folder, 'a'), 'x')),
    ],
    ['of a file that went', () => look([folder], () => rmSync(join(folder, 'a')))],
    [
      'of a folder with a link',
      () => {
        symlinkSync('a', join(folder, 'link'));
        return look();
      },
    ],
    [
      'of a folder of which a file was passed over',
      () => {
        writeFileSync(join(folder, 'passed over'), '');
        return look();
      },
    ],
    [
      'of an empty folder',
      () => {
        mkdirSync(join(folder, 'empty'));
        return look([join(folder, 'empty')]);
      },
    ],
  ])('names no model where that cannot be said: %s', async (_, run) => {
    expect((await run()).model).toBeNull();
  });

  it('fails as looking fails', async () => {
    const cancelled = new GlacisError('run/cancelled', 'cancelled');
    await expect(lookedAt([folder], options, () => Promise.reject(cancelled))).rejects.toBe(cancelled);
    const signal = AbortSignal.abort();
    await expect(lookedAt([folder], { ...options, signal }, async () => ({}))).rejects.toMatchObject({
      code: 'run/cancelled',
    });
  });
});
