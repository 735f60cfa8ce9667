import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/onnx/graph-builder.ts';
import { GRADIENT_RULES } from '../../src/transform/gradient/registry.ts';
import { opsOn } from '../../src/transform/ops.ts';
import { CASES } from './cases/index.ts';
import { checkGradient, nameOf } from './check-gradient.ts';
import type { RuntimeCase } from './runtime-check.ts';

const keyOf = (domain: string, op: string) => `${domain}:${op}`;

describe('every gradient rule', () => {
  it('is checked by a case here or by one of the cases against the runtime', async () => {
    const covered = new Set(CASES.map((c) => keyOf(c.domain ?? '', c.op)));
    for (const key of await checkedAgainstRuntime()) covered.add(key);
    const rules = GRADIENT_RULES.map((r) => keyOf(r.domain, r.op));
    expect(rules.filter((key) => !covered.has(key))).toEqual([]);
  });
});

describe('the gradient of', () => {
  for (const c of CASES) it(nameOf(c), () => checkGradient(c));
});

/** Operators that the cases of runtime-cases/ are made of. */
async function checkedAgainstRuntime(): Promise<Set<string>> {
  const keys = new Set<string>();
  for (const file of readdirSync(new URL('./runtime-cases', import.meta.url))) {
    const module = (await import(
      /* @vite-ignore */ new URL(`./runtime-cases/${file}`, import.meta.url).href
    )) as Readonly<Record<string, readonly RuntimeCase[]>>;
    for (const c of Object.values(module).flat()) {
      const b = opsOn(new GraphBuilder(c.opset ?? 21));
      c.make(
        b,
        c.inputs.map((input, i) => b.builder.input(`x${i}`, c.dtype ?? 'float64', input.dims)),
      );
      for (const { node } of b.builder.nodes) keys.add(keyOf(node.domain, node.op));
    }
  }
  return keys;
}
