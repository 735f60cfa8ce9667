import { describe, expect, it } from 'vitest';
import { takeLogLevel } from './log-level.ts';

describe('--log-level', () => {
  it('stands before the command or after it, in any case, and leaves the rest as it is', () => {
    const rest = ['sign', 'key', 'm', '--password', 'x'];
    for (const args of [
      ['--log-level', 'warning', ...rest],
      [...rest, '--log-level=WARNING'],
      ['sign', '--log_level', 'Warning', ...rest.slice(1)],
    ])
      expect(takeLogLevel(args)).toEqual({ level: 'warning', rest });
    expect(takeLogLevel(rest)).toEqual({ level: undefined, rest });
    expect(takeLogLevel(['a', '--', '--log-level', 'x']).rest).toEqual(['a', '--', '--log-level', 'x']);
  });

  it.each([
    [['--log-level', 'loud']],
    [['--log-level']],
    [['--log-level=']],
    [['--log-level', 'info', '--log-level=info']],
  ])('is refused in %j', (args) => {
    expect(() => takeLogLevel(args)).toThrow(expect.objectContaining({ code: 'option/invalid' }));
  });
});
