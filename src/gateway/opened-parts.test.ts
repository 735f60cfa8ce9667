import { expect, it, vi } from 'vitest';
import { openedParts } from './opened-parts.ts';

it('closes parts in the reverse order, each after the one that stands on it, and goes on where one fails', async () => {
  const [closed, failures]: [string[], unknown[]] = [[], []];
  const parts = openedParts((where, thrown) => failures.push([where, thrown]));
  const part = (name: string, wrong?: Error) => ({
    async close() {
      await new Promise((later) => setImmediate(later));
      closed.push(name);
      if (wrong) throw wrong;
    },
  });
  const wrong = new Error('busy');
  const first = part('first');
  expect(parts.keep(first)).toBe(first);
  parts.keep(part('second', wrong));
  parts.keep({ close: () => closed.push('third') });
  await parts.closeAll();
  expect(closed).toEqual(['third', 'second', 'first']);
  expect(failures).toEqual([['closing', wrong]]);
  await parts.closeAll();
  expect(closed).toHaveLength(3);
});

it('does works again until it is closed, and says where they fail', async () => {
  vi.useFakeTimers();
  try {
    const failures: unknown[] = [];
    const parts = openedParts(() => {});
    let done = 0;
    const work = async () => {
      if (++done === 2) throw new Error('gone');
    };
    parts.again(work, 1000, (thrown) => failures.push((thrown as Error).message));
    await vi.advanceTimersByTimeAsync(3500);
    expect([done, failures]).toEqual([3, ['gone']]);
    await parts.closeAll();
    await vi.advanceTimersByTimeAsync(3500);
    expect(done).toBe(3);
  } finally {
    vi.useRealTimers();
  }
});
