import { describe, expect, it } from 'vitest';
import { f32 } from './array.ts';
import { feedPool } from './feed-pool.ts';

describe('buffers for feeds', () => {
  it('hold what was given, in memory that both threads see', () => {
    const data = Float32Array.from({ length: 10_000 }, (_, i) => i);
    const { sent } = feedPool().lend({ x: f32(data, [10_000]) });
    expect(sent.x!.data).toEqual(data);
    expect(sent.x!.data.buffer).toBeInstanceOf(SharedArrayBuffer);
    data[0] = 7;
    expect(sent.x!.data[0]).toBe(0);
  });

  it('are used again only after they were given back', () => {
    const pool = feedPool();
    const feeds = { x: f32(new Float32Array(10_000), [10_000]) };
    const first = pool.lend(feeds);
    const second = pool.lend(feeds);
    expect(second.sent.x!.data.buffer).not.toBe(first.sent.x!.data.buffer);
    first.giveBack();
    first.giveBack();
    const third = pool.lend(feeds);
    const fourth = pool.lend(feeds);
    expect(third.sent.x!.data.buffer).toBe(first.sent.x!.data.buffer);
    expect(fourth.sent.x!.data.buffer).not.toBe(third.sent.x!.data.buffer);
  });

  it('are not made for small arrays, of which only the part that is meant is sent', () => {
    const whole = new Float32Array(100);
    const { sent } = feedPool().lend({ x: f32(whole.subarray(10, 20), [10]) });
    expect(sent.x!.data.buffer.byteLength).toBe(40);
    expect(sent.x!.data.buffer).toBeInstanceOf(ArrayBuffer);
  });

  it('are kept up to a bound', () => {
    const pool = feedPool();
    const lent = Array.from({ length: 6 }, () =>
      pool.lend({ x: f32(new Float32Array(16 << 20), [16 << 20]) }),
    );
    for (const { giveBack } of lent) giveBack();
    const again = lent.map(() => pool.lend({ x: f32(new Float32Array(16 << 20), [16 << 20]) }));
    const known = new Set(lent.map(({ sent }) => sent.x!.data.buffer));
    expect(again.filter(({ sent }) => known.has(sent.x!.data.buffer))).toHaveLength(4);
  });
});
