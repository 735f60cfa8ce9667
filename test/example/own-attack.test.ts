import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { signFlip } from '../../examples/own-attack/sign-flip.ts';
import { assess } from '../../src/assess/index.ts';
import { planned } from '../../src/attack/index.ts';
import { writeNpz } from '../../src/data/index.ts';
import { writeModel } from '../../src/onnx/write.ts';
import { FEATURES, linearModel } from '../end-to-end/small-models.ts';

it('the attack of the example runs beside the others and keeps its budget', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'glacis-own-'));
  try {
    const model = join(folder, 'model.onnx');
    await writeModel(model, linearModel());
    const n = 30;
    const x = Float32Array.from({ length: n * FEATURES }, (_, i) => ((i * 7919) % 101) / 101);
    const y = Int32Array.from({ length: n }, (_, i) => i % 3);
    await writeNpz(join(folder, 'data.npz'), {
      x: { data: x, shape: [n, FEATURES] },
      y: { data: y, shape: [n] },
    });
    const { assessment } = await assess({
      model,
      data: join(folder, 'data.npz'),
      range: [0, 1],
      attacks: [planned(signFlip, { queries: 60 }), { name: 'pgd', options: {} }],
      norm: 'linf',
      eps: [0.2],
      out: folder,
    });
    const [own, pgd] = assessment.results;
    expect([own!.attack, pgd!.attack]).toEqual(['sign-flip', 'pgd']);
    expect(own!.robustAccuracy).toBeLessThan(own!.cleanAccuracy);
    expect(own!.queries).toBeLessThanOrEqual(60 * n + n);
    expect(assessment.findings.map((f) => f.id)).not.toContain('evasion/examples-refused');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
