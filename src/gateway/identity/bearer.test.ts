import { describe, expect, it } from 'vitest';
import { keyText } from '../../core/key-text.ts';
import { presentedBy } from './bearer.ts';

describe('an Authorization header', () => {
  const key = keyText('a'.repeat(11), 'b'.repeat(43));

  it.each([
    [undefined, 'nothing'],
    [`Bearer ${key}`, 'key'],
    [`bearer  ${key}`, 'key'],
    ['Bearer a.b.c', 'token'],
    ['', 'unusable'],
    ['Bearer ', 'unusable'],
    ['Bearer a.b', 'unusable'],
    ['Bearer a.b.c.d', 'unusable'],
    ['Bearer a.b.c x', 'unusable'],
    ['Bearer a.b.c\n', 'unusable'],
    ['Basic YTpi', 'unusable'],
    [key, 'unusable'],
    ['Bearer glacis_x.y.z', 'key'],
    [`Bearer a.${'a'.repeat(9000)}.c`, 'unusable'],
  ])('%s presents %s', (text, kind) => {
    expect(presentedBy(text, 8192).kind).toBe(kind);
  });
});
