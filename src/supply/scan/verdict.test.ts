import { describe, expect, it } from 'vitest';
import { worstVerdict } from './verdict.ts';

describe('worstVerdict', () => {
  it('lets what was seen outweigh what could not be seen, and both outweigh clean', () => {
    expect(worstVerdict([])).toBe('clean');
    expect(worstVerdict(['clean', 'unreadable'])).toBe('unreadable');
    expect(worstVerdict(['suspicious', 'unreadable', 'clean'])).toBe('suspicious');
    expect(worstVerdict(['unreadable', 'malicious', 'suspicious'])).toBe('malicious');
  });
});
