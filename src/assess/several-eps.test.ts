import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linearModel, writeLinearData } from '../../test/end-to-end/small-models.ts';
import { planAttack } from '../attack/registry.ts';
import { writeModel } from '../onnx/write.ts';
import { type AssessOptions, assess } from './assess.ts';
import { cellsOf, inheritedBy } from './cells.ts';
import { readOutcomes } from './compare/read-outcomes.ts';
import type { Assessment } from './result.ts';

const plan = (name: string) => planAttack({ name, options: {} });

describe('cells of several eps', () => {
  it('inherit from the same attack at the next smaller eps', () => {
    const cells = cellsOf([plan('pgd'), plan('fgsm'), plan('pgd'), plan('fab')], 'linf', [0.1, 0.2, 0.3]);
    const from = cells.map((cell) => inheritedBy(cell, cells));
    // Three attacks at each eps, then one that looks for the nearest example.
    expect(from).toEqual([undefined, undefined, undefined, 0, 1, 2, 3, 4, 5, undefined]);
    expect(cells.map(({ note }) => note !== undefined)).toEqual(from.map((each) => each !== undefined));
  });

  it('do not where examples share something, which is made for one eps', () => {
    const cells = cellsOf([plan('universal'), plan('patch')], 'linf', [0.1, 0.2]);
    expect(cells.map((cell) => inheritedBy(cell, cells))).toEqual(cells.map(() => undefined));
  });
});

describe('an assessment at several eps', () => {
  let home: string;
  const at = (name: string) => join(home, name);
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'glacis-several-eps-'));
    await writeModel(at('linear.onnx'), linearModel());
    await writeLinearData(at('data.npz'), 60);
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));
  const run = async (name: string, more: Partial<AssessOptions>): Promise<Assessment> => {
    const out = at(name);
    mkdirSync(out, { recursive: true });
    const attacks = [
      { name: 'pgd', options: { steps: 3 } },
      { name: 'square', options: { queries: 20 } },
    ];
    const { assessment } = await assess({
      ...{ model: at('linear.onnx'), data: at('data.npz'), range: [0, 1], norm: 'linf', threads: 1 },
      ...{ attacks, out, ...more },
    });
    return assessment;
  };
  const outcomesOf = (folder: string, file: string) => readOutcomes(at(folder), file, 60, 'test');

  it('finds what single runs find or more, asks less, and never gets better with eps', async () => {
    const eps = [0.2, 0.05, 0.1];
    const together = await run('together', { eps });
    expect(together.worstCases.map((worst) => worst.eps)).toEqual([0.05, 0.1, 0.2]);
    let [asked, askedAlone, inherited] = [0, 0, 0];
    for (const radius of eps) {
      const alone = await run(`alone-${radius}`, { eps: [radius] });
      for (const result of alone.results) {
        const same = together.results.find(({ attack, eps: e }) => attack === result.attack && e === radius)!;
        const [joint, single] = await Promise.all([
          outcomesOf('together', same.perSample),
          outcomesOf(`alone-${radius}`, result.perSample),
        ]);
        for (const [i, fell] of single.success.entries()) if (fell) expect(joint.success[i]).toBe(1);
        expect(same.robustAccuracy).toBeLessThanOrEqual(result.robustAccuracy);
        if (radius > 0.05) {
          asked += same.queries;
          askedAlone += result.queries;
          const before = together.results.find(
            ({ attack, eps: e }) => attack === result.attack && e === (radius === 0.1 ? 0.05 : 0.1),
          )!;
          expect(same.robustAccuracy).toBeLessThanOrEqual(before.robustAccuracy);
          const smaller = await outcomesOf('together', before.perSample);
          for (const [i, fell] of smaller.success.entries()) {
            if (!fell) continue;
            inherited++;
            expect([joint.success[i], joint.distance[i]]).toEqual([1, smaller.distance[i]]);
          }
        } else expect(same).toMatchObject({ queries: result.queries, robustAccuracy: result.robustAccuracy });
      }
    }
    expect(inherited).toBeGreaterThan(10);
    expect(asked).toBeLessThan(askedAlone);
  });

  it('goes on after an interruption to the same outcomes', async () => {
    const eps = [0.05, 0.2];
    const whole = await run('whole', { eps });
    const stop = new AbortController();
    const progress = ({ label, done }: { label: string; done: number }) =>
      label === 'square (linf, eps 0.2)' && done > 20 && stop.abort('the test');
    const stopped = await run('stopped', { eps, signal: stop.signal, progress });
    expect(stopped.status).toBe('partial');
    const finished = await run('stopped', { eps, resume: true });
    expect(finished.status).toBe('complete');
    for (const [i, { perSample, robustAccuracy }] of whole.results.entries()) {
      expect(finished.results[i]!.robustAccuracy).toBe(robustAccuracy);
      expect(await outcomesOf('stopped', perSample)).toEqual(await outcomesOf('whole', perSample));
    }
  });
});
