import { describe, expect, it } from 'vitest';
import { GRADIENT_RULES } from '../../src/transform/gradient/registry.ts';
import { CASES } from './cases/index.ts';
import { checkGradient, nameOf } from './check-gradient.ts';

/** Rules of operators that ONNX Runtime's CPU provider does not run as a node of their own, with what is checked instead. */
const WITHOUT_CASE: Readonly<Record<string, string>> = {};

describe('every gradient rule', () => {
  it('has a case', () => {
    const covered = new Set(CASES.map((c) => `${c.domain ?? ''}:${c.op}`));
    const missing = GRADIENT_RULES.map((r) => `${r.domain}:${r.op}`).filter(
      (key) => !covered.has(key) && !(key in WITHOUT_CASE),
    );
    expect(missing).toEqual([]);
  });
});

describe('the gradient of', () => {
  for (const c of CASES) it(nameOf(c), () => checkGradient(c));
});
