import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { InputGuard } from '../guard.ts';
import { openGuardMemory } from './guard-memory.ts';

const home = mkdtempSync(join(tmpdir(), 'glacis-guard-memory-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const guard = (name: string, bytes?: Uint8Array): InputGuard => ({
  name,
  phase: 'after',
  judge: () => ({ action: 'pass', score: 0 }),
  ...(bytes && { snapshot: () => bytes }),
});

describe('guard memory', () => {
  test('gives back what each guard of each model kept, and nothing else', async () => {
    const folder = join(home, 'a', 'b');
    const memory = openGuardMemory(folder, digest('1'));
    expect(memory.remembered('one')).toBeUndefined();
    await memory.save([
      guard('one', Uint8Array.of(1, 2)),
      guard('two', Uint8Array.of(3)),
      guard('forgetful'),
    ]);
    await memory.save([guard('two', Uint8Array.of(4))]);
    const again = openGuardMemory(folder, digest('1'));
    expect([...again.remembered('one')!]).toEqual([1, 2]);
    expect([...again.remembered('two')!]).toEqual([4]);
    expect(again.remembered('forgetful')).toBeUndefined();
    expect(openGuardMemory(folder, digest('2')).remembered('one')).toBeUndefined();
  });

  test.skipIf(process.platform === 'win32')(
    'is readable by its owner alone: it tells who asked what',
    async () => {
      const memory = openGuardMemory(home, digest('3'));
      await memory.save([guard('one', Uint8Array.of(1))]);
      expect(statSync(join(home, `${'3'.repeat(64)}-one.state`)).mode & 0o777).toBe(0o600);
    },
  );

  test('what is there and cannot be read is not taken for none', () => {
    mkdirSync(join(home, `${'4'.repeat(64)}-one.state`));
    expect(() => openGuardMemory(home, digest('4')).remembered('one')).toThrow(
      expect.objectContaining({ code: 'data/unreadable' }),
    );
  });

  test('names that are none of a guard or a digest make no path', () => {
    const memory = openGuardMemory(home, digest('5'));
    for (const name of ['', '../one', 'a/b', 'A'])
      expect(() => memory.remembered(name)).toThrow(expect.objectContaining({ code: 'option/invalid' }));
    expect(() => openGuardMemory(home, 'sha256:../..')).toThrow(
      expect.objectContaining({ code: 'option/invalid' }),
    );
  });

  test('a folder that cannot be made ends the start', () => {
    writeFileSync(join(home, 'file'), '');
    expect(() => openGuardMemory(join(home, 'file', 'x'), digest('6'))).toThrow(
      expect.objectContaining({ code: 'output/unwritable' }),
    );
  });
});
