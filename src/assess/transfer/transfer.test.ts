import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  EPS,
  examplesOf,
  isRight,
  linearPair,
  N,
  SIZE,
  scoreOf,
  W,
  X,
  Y,
} from '../../../test/end-to-end/linear-pair.ts';
import { withOpenBatch } from '../../../test/end-to-end/small-models.ts';
import { type OipServer, startServer } from '../../../test/oip/server.ts';
import { openDataset, writeNpz } from '../../data/index.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { writeModel } from '../../onnx/write.ts';
import { opsOn } from '../../transform/ops.ts';
import type { Transfer } from './result.ts';
import { transferToJson } from './result-json.ts';
import { type TransferOptions, transfer } from './transfer.ts';

let home: string;
const at = (name: string) => join(home, name);
const servers: OipServer[] = [];
/** The second model behind an endpoint. */
async function served(): Promise<OipServer> {
  const answer = (x: Float32Array, n: number) =>
    Float32Array.from({ length: 2 * n }, (_, i) => (i % 2 === 0 ? 1 : -1) * scoreOf(W.b, x, i >> 1));
  const server = await startServer({ sampleShape: [SIZE], outputs: 2, answer });
  servers.push(server);
  return server;
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'glacis-transfer-'));
  await writeModel(at('a.onnx'), linearPair(W.a));
  await writeModel(at('b.onnx'), linearPair(W.b));
  await writeModel(at('opaque.onnx'), linearPair(W.b, { end: 'opaque' }));
  await writeNpz(at('data.npz'), { x: { data: X, shape: [N, SIZE] }, y: { data: Y, shape: [N] } });
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  rmSync(home, { recursive: true, force: true });
});

const run = (models: readonly string[], more: Partial<TransferOptions> = {}) =>
  transfer({
    models: models.map((model) => (model.includes(':') ? model : at(model))),
    data: at('data.npz'),
    range: [0, 1],
    norm: 'linf',
    eps: EPS,
    threads: 1,
    out: home,
    ...more,
  });

/** What must come out. */
function expected(own: readonly number[], other: readonly number[]) {
  const examples = examplesOf(own);
  const both = Array.from({ length: N }, (_, i) => i).filter(
    (i) => isRight(own, X, i) && isRight(other, X, i),
  );
  const falls = (w: readonly number[]) => both.filter((i) => !isRight(w, examples, i));
  const fallen = new Set(falls(own));
  return {
    n: both.length,
    fooled: falls(other).length,
    fooledOwn: fallen.size,
    fooledBoth: falls(other).filter((i) => fallen.has(i)).length,
  };
}

/** Without what depends on the machine and the time. */
const timeless = ({ rows, ...rest }: Transfer) => ({
  rows: rows.map(({ seconds: _, ...row }) => row),
  noise: rest.noise,
  findings: rest.findings,
  models: rest.models,
});

describe('transfer', () => {
  it('counts what each model’s examples do to every model, over samples that both get right', async () => {
    const result = await run(['a.onnx', 'b.onnx']);
    expect(() => transferToJson(result)).not.toThrow();
    expect(result.status).toBe('complete');
    expect(result.models.map(({ right }) => right)).toEqual(
      [W.a, W.b].map((w) => Y.filter((_, i) => isRight(w, X, i)).length),
    );
    for (const [i, own] of [W.a, W.b].entries())
      for (const [j, other] of [W.a, W.b].entries())
        expect(result.rows[i]!.cells[j], `${i} on ${j}`).toMatchObject(expected(own, other));
    const { fooled, n } = result.rows[0]!.cells[1]!;
    expect(fooled).toBeGreaterThan(3);
    expect(fooled).toBeLessThan(n);
  });

  it('writes the outcome of every sample', async () => {
    const result = await run(['a.onnx', 'b.onnx']);
    const read = async (x: string) => {
      const array = await openDataset(at(result.perSample), { x });
      const values = Array.from((await array.read(0, array.n)) as Uint8Array, Number);
      await array.close();
      return values;
    };
    const fooled = await read('fooled');
    for (const [i, { cells }] of result.rows.entries())
      for (const [j, cell] of cells.entries()) {
        const from = (2 * i + j) * N;
        expect(fooled.slice(from, from + N).reduce((sum, one) => sum + one, 0)).toBe(cell.fooled);
      }
    expect((await read('clean_correct')).slice(0, N)).toEqual(
      Array.from({ length: N }, (_, i) => Number(isRight(W.a, X, i))),
    );
  });

  it('gives the same by seed, however large the batch', async () => {
    const attack = { name: 'pgd', options: { steps: 5 } };
    const [whole, again] = [
      await run(['a.onnx', 'b.onnx'], { seed: 3, attack }),
      await run(['a.onnx', 'b.onnx'], { seed: 3, attack, batch: 7 }),
    ];
    expect(timeless(again)).toEqual(timeless(whole));
  });

  it('tries examples on an endpoint and makes none there', async () => {
    const server = await served();
    const result = await run(['a.onnx', 'b.onnx', server.url]);
    expect(result.rows.map(({ model }) => model)).toEqual([0, 1]);
    expect(result.models[2]).toMatchObject({ access: 'endpoint', right: result.models[1]!.right });
    const { right } = result.models[2]!;
    for (const { cells } of result.rows) {
      const { fooledOwn: _a, fooledBoth: _b, ...file } = cells[1]!;
      expect(cells[2]).toMatchObject(file);
    }
    // The clean samples, a change at random where it is right, and examples where both are right; some to get to know it.
    const needed = N + right + result.rows.reduce((sum, { cells }) => sum + cells[2]!.n, 0);
    expect(server.received.samples - needed).toBeLessThan(20);
  });

  it('keeps the rows that are finished when it is stopped', async () => {
    const controller = new AbortController();
    const result = await run(['a.onnx', 'b.onnx'], {
      signal: controller.signal,
      progress: ({ label }) => {
        if (label.includes(' on B (')) controller.abort('the test');
      },
    });
    expect(result).toMatchObject({ status: 'partial', statusReason: 'stopped by the test' });
    expect(result.rows[0]).toMatchObject({ model: 0, n: N });
    expect(result.rows[0]!.cells[1]).toMatchObject(expected(W.a, W.b));
    expect(() => transferToJson(result)).not.toThrow();
  });

  it('goes on from where it was stopped, to the same figures', async () => {
    const folder = (name: string) => ({ out: mkdtempSync(join(home, name)), perSamplePrefix: '' });
    const whole = folder('whole');
    const part = folder('part');
    const result = await run(['a.onnx', 'b.onnx'], whole);
    const controller = new AbortController();
    const stopped = await run(['a.onnx', 'b.onnx'], {
      ...part,
      signal: controller.signal,
      progress: ({ label }) => {
        if (label.includes(' on B (')) controller.abort('the test');
      },
    });
    expect(stopped.status).toBe('partial');
    const again: string[] = [];
    const rest = await run(['a.onnx', 'b.onnx'], {
      ...part,
      resume: true,
      progress: ({ label }) => again.push(label),
    });
    // What was under way when it was stopped is asked for twice.
    const figures = ({ rows, ...more }: ReturnType<typeof timeless>) => ({
      rows: rows.map(({ queries: _q, gradientQueries: _g, ...row }) => row),
      ...more,
    });
    expect(figures(timeless(rest))).toEqual(figures(timeless(result)));
    expect(again.filter((label) => label.includes(' on A (') || label === 'clean answers')).toEqual([]);
    const bytes = ({ out }: { readonly out: string }) => readFileSync(join(out, 'transfer.npz'));
    expect(bytes(part)).toEqual(bytes(whole));
    expect(readdirSync(part.out)).toEqual(['transfer.npz']);
  });

  it('says so when it is stopped before anything is known', async () => {
    const controller = new AbortController();
    const result = await run(['a.onnx', 'b.onnx'], {
      signal: controller.signal,
      progress: () => controller.abort('the test'),
    });
    expect(result).toMatchObject({ status: 'partial', rows: [] });
    expect(() => transferToJson(result)).not.toThrow();
  });

  it('keeps the rows that are finished when an endpoint goes away', async () => {
    const server = await served();
    const result = await run(['a.onnx', server.url, 'b.onnx'], {
      progress: ({ label }) => {
        if (label === 'examples of C on B') server.faults.refuse = { status: 403, text: 'quota' };
      },
    });
    expect(result.status).toBe('partial');
    expect(result.statusReason).toMatch(/403/);
    expect(result.rows.map(({ model }) => model)).toEqual([0]);
    const early = await served();
    await expect(
      run(['a.onnx', early.url], {
        progress: () => {
          early.faults.refuse = { status: 403, text: 'quota' };
        },
      }),
    ).rejects.toMatchObject({ code: 'endpoint/unavailable' });
  });

  it('makes no examples on a model without gradients, and tries the others’ there', async () => {
    const result = await run(['opaque.onnx', 'b.onnx']);
    expect(result.status).toBe('complete');
    expect(result.rows.map(({ model }) => model)).toEqual([1]);
    expect(result.rows[0]!.cells[0]!.fooled).toBe(result.rows[0]!.cells[1]!.fooled);
    expect(result.notes).toContainEqual(expect.stringMatching(/No examples were made on A: .*MaxRoiPool/));
  });

  it('names models that are the same', async () => {
    const { notes, rows } = await run(['a.onnx', 'a.onnx'], { n: 20 });
    expect(notes).toContain('A and B are the same model.');
    expect(rows[0]!.cells[1]).toEqual(rows[0]!.cells[0]);
  });

  it('refuses what cannot be a matrix, before any work', async () => {
    const refused = (models: readonly string[], more: Partial<TransferOptions>, message: RegExp) =>
      expect(run(models, more)).rejects.toThrow(message);
    writeFileSync(at('broken.onnx'), readFileSync(at('a.onnx')).subarray(0, 40));
    const flat = (...dims: number[]) => {
      const b = opsOn(new GraphBuilder());
      const x = b.builder.input('x', 'float32', [1, ...dims]);
      return withOpenBatch(b.builder.build({ y: b.reshape(x, [1, -1]) }));
    };
    await writeModel(at('other-shape.onnx'), flat(2, 4));
    await writeModel(at('wider.onnx'), flat(9));
    await refused(['a.onnx'], {}, /expected two to 12 models, got 1/);
    await refused(
      Array.from({ length: 13 }, () => 'a.onnx'),
      {},
      /expected two to 12 models, got 13/,
    );
    await refused(
      ['http://127.0.0.1:1/v2/models/m', 'x.mjs'],
      {},
      /expected a model file to make examples on/,
    );
    await refused(['a.onnx', 'missing.onnx'], {}, /missing\.onnx/);
    await refused(['a.onnx', 'broken.onnx'], {}, /broken\.onnx/);
    await refused(
      ['a.onnx', 'other-shape.onnx'],
      {},
      /other-shape\.onnx: .*that a\.onnx takes, \[8\], got \[2, 4\]/,
    );
    await refused(['a.onnx', 'wider.onnx'], {}, /wider\.onnx: .*; a\.onnx takes samples of \[8\]/);
    await refused(
      ['a.onnx', 'b.onnx'],
      { attack: { name: 'ddn', options: {} }, norm: 'l2' },
      /--attack: .*ddn.*boundary/,
    );
    await refused(
      ['a.onnx', 'b.onnx'],
      { attack: { name: 'transfer', options: {} } },
      /--attack: .*got transfer/,
    );
    await refused(['a.onnx', 'b.onnx'], { norm: 'l1' }, /--norm: expected one that mi-fgsm knows/);
    await refused(
      ['a.onnx', 'http://one/v2/models/m', 'http://two/v2/models/m'],
      { endpoint: { headers: { 'x-key': 'secret' } } },
      /endpoints of one host/,
    );
  });
});
