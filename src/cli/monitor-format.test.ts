import { describe, expect, it } from 'vitest';
import { readArgs } from './args.ts';
import { timeRemark } from './monitor-format.ts';
import { PAST_OPTIONS } from './monitor-options.ts';

describe('times of a trace', () => {
  it('are remarked on where nobody said when its machine was started, and nowhere else', () => {
    const remark = (...argv: readonly string[]) => timeRemark(readArgs(argv, PAST_OPTIONS));
    expect(remark('--format', 'triton-trace')).toMatch(/--booted says when it was/);
    expect(remark('--format', 'triton-trace', '--booted', '2026-11-01')).toBeUndefined();
    expect(remark('--format', 'nginx')).toBeUndefined();
    expect(remark()).toBeUndefined();
  });
});
