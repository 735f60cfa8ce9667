import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { EXAMPLE_PLAN, type ExamplePlan, makeExample } from '../../scripts/example-model.ts';
import { silent } from '../../src/core/progress.ts';
import { renderSplit, SIGN_CLASSES } from '../../src/data/traffic-signs/render.ts';
import { parseModel } from '../../src/onnx/read.ts';
import { serializeModel } from '../../src/onnx/write.ts';
import { startEngine } from '../../src/runtime/engine.ts';
import { accuracy } from '../../src/train/accuracy.ts';

const folder = new URL('../../examples/traffic-signs/', import.meta.url);
const card = JSON.parse(readFileSync(new URL('traffic-signs.json', folder), 'utf8')) as ExamplePlan & {
  readonly digest: string;
  readonly bytes: number;
  readonly classes: typeof SIGN_CLASSES;
  readonly testAccuracy: number;
};
const bytes = readFileSync(new URL('traffic-signs.onnx', folder));

const hardened = JSON.parse(readFileSync(new URL('hardened.json', folder), 'utf8')) as {
  readonly digest: string;
  readonly bytes: number;
  readonly command: string;
  readonly accuracy: number;
  readonly autoattack: { readonly eps: string; readonly n: number; readonly robustAccuracy: number };
};

const engine = startEngine({ threads: 2 });
afterAll(() => engine.close());

describe('the bundled example', () => {
  it('is the file that its card describes, made by the plan in the repository', () => {
    expect(`sha256:${createHash('sha256').update(bytes).digest('hex')}`).toBe(card.digest);
    expect(bytes.length).toBe(card.bytes);
    expect(bytes.length).toBeLessThan(1_000_000);
    expect(card.classes).toEqual(SIGN_CLASSES);
    expect(card).toMatchObject(EXAMPLE_PLAN);
    const { graph } = parseModel(bytes);
    expect(graph.inputs).toEqual([
      { name: 'input', type: { kind: 'tensor', dtype: 'float32', dims: ['batch', 3, 32, 32] } },
    ]);
    expect(graph.outputs.map((o) => o.name)).toEqual(['logits']);
  });

  it('reads about as many test pictures right as its card says', async () => {
    const test = renderSplit({ seed: card.seed, split: 'test', n: 320 });
    const right = await accuracy(engine, parseModel(bytes), test);
    // Three standard deviations of a share of 320.
    const slack = 3 * Math.sqrt((card.testAccuracy * (1 - card.testAccuracy)) / 320);
    expect(Math.abs(right - card.testAccuracy)).toBeLessThan(slack);
    expect(card.testAccuracy).toBeGreaterThan(0.95);
  });

  it('states its accuracy in words as its card does in figures', () => {
    const readme = readFileSync(new URL('README.md', folder), 'utf8');
    expect(readme).toContain(`${(100 * card.testAccuracy).toFixed(1)} %`);
    expect(readme).toContain(`${Math.round(card.bytes / 1000)} kB`);
  });

  it('comes hardened, too: the file that its card describes, as accurate as the card says', async () => {
    const file = readFileSync(new URL('hardened.onnx', folder));
    expect(`sha256:${createHash('sha256').update(file).digest('hex')}`).toBe(hardened.digest);
    expect(file.length).toBe(hardened.bytes);
    const right = await accuracy(engine, parseModel(file), renderSplit({ seed: 2, split: 'test', n: 320 }));
    const slack = 3 * Math.sqrt((hardened.accuracy * (1 - hardened.accuracy)) / 320);
    expect(Math.abs(right - hardened.accuracy)).toBeLessThan(slack);
    const readme = readFileSync(new URL('README.md', folder), 'utf8');
    expect(readme).toContain(`| ${(100 * hardened.accuracy).toFixed(1)} % |`);
    expect(readme).toContain(`| ${(100 * hardened.autoattack.robustAccuracy).toFixed(1)} % |`);
    expect(readme.replaceAll(/\\\n +/g, '')).toContain(hardened.command);
  });

  it('is built to the same bytes each time', async () => {
    const small = { seed: 3, trainingSamples: 192, validationSamples: 32, testSamples: 32, epochs: 1 };
    const build = async () => {
      const { model, testAccuracy } = await makeExample(engine, small, silent);
      return { bytes: Buffer.from(serializeModel(model)), testAccuracy };
    };
    const [one, again] = [await build(), await build()];
    expect(one.bytes.equals(again.bytes)).toBe(true);
    expect(one.testAccuracy).toBe(again.testAccuracy);
    expect(one.bytes.equals(bytes)).toBe(false);
  });
});
