import { describe, expect, it } from 'vitest';
import type { Rows } from './rows.ts';
import { spreadOf } from './spread.ts';

/** Rows of these callers, each with so much that speaks for the shift. */
function shifted(parts: Readonly<Record<string, readonly [rows: number, excess: number]>>) {
  const principals = Object.entries(parts).flatMap(([name, [n]]) => Array.from({ length: n }, () => name));
  const excess = Float64Array.from(
    Object.values(parts).flatMap(([n, each]) => Array.from({ length: n }, () => each)),
  );
  const n = principals.length;
  const rows: Rows = {
    ...{ n, width: 1, values: new Float32Array(n), principals },
    decisions: principals.map((_, i) => String(i)),
    at: Float64Array.from({ length: n }, (_, i) => i),
  };
  return { rows, excess };
}

describe('who is behind a shift', () => {
  const calm = { calmShare: () => 0.1, scoreOfRest: () => 0 };
  const others = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`calm ${i}`, [20, 0.1] as const]));

  it('is named alone, whoever comes after by chance', () => {
    // Thief 78 % of it, the next two 6 % and 5 %: four fifths take all three.
    const { rows, excess } = shifted({ ...others, thief: [100, 1.4], second: [20, 0.55], third: [20, 0.45] });
    const found = spreadOf(rows, excess, calm);
    expect(found).toMatchObject({ kind: 'attack', principals: ['thief'] });
    expect(found.figures.topCallers).toEqual(['thief', 'second', 'third']);
  });

  it('are all who hold a part worth the name', () => {
    const { rows, excess } = shifted({ ...others, thief: [100, 1.4], friend: [100, 1.2] });
    expect(spreadOf(rows, excess, calm).principals).toEqual(['thief', 'friend']);
  });

  it('is nobody where it is spread', () => {
    const { rows, excess } = shifted({ ...others, first: [20, 0.5] });
    expect(spreadOf(rows, excess, calm)).toMatchObject({ kind: 'drift', principals: [] });
  });
});
