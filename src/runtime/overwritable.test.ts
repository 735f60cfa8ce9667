import { describe, expect, it } from 'vitest';
import { GraphBuilder, type Value } from '../onnx/graph-builder.ts';
import { type Ops, opsOn } from '../transform/ops.ts';
import { overwritableInputs } from './overwritable.ts';

/** Which of `kept` may be written over in a graph that gives `next` (and `other`). */
function found(write: (b: Ops, kept: Value, x: Value) => { next: Value; other?: Value }): readonly string[] {
  const b = opsOn(new GraphBuilder());
  const kept = b.builder.input('kept', 'float32', [4, 4]);
  const x = b.builder.input('x', 'float32', [4, 4]);
  return overwritableInputs(b.builder.build({ ...write(b, kept, x) }), { kept: 'next' });
}

describe('overwritableInputs', () => {
  it('finds what one element-wise node reads on the way to its own successor', () => {
    expect(found((b, kept, x) => ({ next: b.add(kept, x) }))).toEqual(['kept']);
    expect(found((b, kept, x) => ({ next: b.add(b.mul(kept, 0.9), b.mul(x, x)) }))).toEqual(['kept']);
    expect(
      found((b, kept, x) => {
        const next = b.add(b.mul(kept, 0.9), x);
        return { next, other: b.unary('Sqrt', next) };
      }),
    ).toEqual(['kept']);
  });

  it('leaves what something reads that the successor does not wait for', () => {
    expect(found((b, kept, x) => ({ next: b.add(kept, x), other: b.sub(kept, x) }))).toEqual([]);
    expect(found((b, kept, x) => ({ next: b.add(x, 1), other: b.sub(kept, x) }))).toEqual([]);
    expect(found((b, kept, x) => ({ next: b.add(kept, x), other: kept }))).toEqual([]);
  });

  it('leaves what is not read element by element', () => {
    expect(found((b, kept, x) => ({ next: b.matmul(kept, x) }))).toEqual([]);
    expect(found((b, kept, x) => ({ next: b.add(b.transpose(kept, [1, 0]), x) }))).toEqual([]);
  });

  it('leaves what nothing reads', () => {
    expect(found((b, _, x) => ({ next: b.mul(x, x) }))).toEqual([]);
  });
});
