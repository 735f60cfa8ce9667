import { describe, expect, it } from 'vitest';
import { planAttack } from '../../attack/registry.ts';
import { transferFindings, weakRows } from './findings.ts';
import { sampleTransfer } from './result.fixture.ts';
import type { TransferRecord } from './run.ts';
import { noiseOf, rowsOf } from './summarise.ts';

const N = 100;
/** The first `count` of all samples. */
const first = (count: number) => Uint8Array.from({ length: N }, (_, i) => (i < count ? 1 : 0));

/** A record of models A and B, right on everything: of the examples of each, so many fool A and B; noise as many. */
function record(a: readonly [number, number], b: readonly [number, number], noise = [0, 0]): TransferRecord {
  const row = (model: number, fooled: readonly number[]) => ({
    model,
    done: N,
    fooled: fooled.map(first),
    queries: 0,
    gradientQueries: 0,
    seconds: 0,
    refused: 0,
  });
  return {
    cleanDone: N,
    right: [first(N), first(N)],
    noise: noise.map(first),
    rows: [row(0, a), row(1, b)],
  };
}

function found(of: TransferRecord, attack = 'mi-fgsm') {
  const { models, norm, eps } = sampleTransfer();
  const plan = planAttack({ name: attack, options: {} });
  const facts = {
    models: models.slice(0, 2),
    rows: rowsOf(of),
    norm,
    eps,
    attack: { id: attack, options: {} },
  };
  const noise = noiseOf(of);
  return transferFindings({ ...facts, ...(noise && { noise }) }, plan, of).map(({ id, title, severity }) => [
    id,
    title,
    severity,
  ]);
}

describe('findings of a transfer matrix', () => {
  it('name the models whose examples fool another', () => {
    expect(found(record([90, 60], [3, 95]))).toEqual([
      ['evasion/transferable-examples', 'Examples made on A fool B (second.onnx)', 'high'],
    ]);
    expect(found(record([90, 30], [12, 95]))).toEqual([
      ['evasion/transferable-examples', 'Examples made on B fool A (first.onnx)', 'low'],
      ['evasion/transferable-examples', 'Examples made on A fool B (second.onnx)', 'medium'],
    ]);
  });

  it('are none where nothing crosses over', () => {
    expect(found(record([90, 2], [0, 95]))).toEqual([]);
  });

  it('say frailty where a change at random does as much', () => {
    expect(found(record([90, 60], [0, 95], [0, 58]))).toEqual([
      ['evasion/fragile-to-noise', 'A change at random fools B (second.onnx)', 'medium'],
    ]);
  });

  it('suspect masked gradients where examples of another model do more than own ones', () => {
    const masked = record([90, 60], [3, 20]);
    expect(found(masked).map(([id, , severity]) => [id, severity])).toEqual([
      ['evasion/transferable-examples', 'high'],
      ['evasion/gradient-masking', 'medium'],
    ]);
    // An attack that uses no gradients says nothing about them.
    expect(found(masked, 'square').map(([id]) => id)).toEqual(['evasion/transferable-examples']);
  });

  it('do without noise where there is none', () => {
    const bare = { ...record([90, 60], [3, 95]), noise: undefined };
    expect(found(bare).map(([id]) => id)).toEqual(['evasion/transferable-examples']);
  });
});

describe('weakRows', () => {
  it('names rows whose attack hardly fools its own model', () => {
    const { models } = sampleTransfer();
    const rows = rowsOf(record([10, 5], [3, 95]));
    expect(weakRows({ models, rows })).toEqual([expect.stringMatching(/fools A itself on 10\.0 %/)]);
  });
});
