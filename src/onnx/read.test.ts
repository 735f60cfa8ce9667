import { createHash } from 'node:crypto';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GlacisError } from '../core/error.ts';
import { anyText, modelWith } from './arbitrary-model.fixture.ts';
import type { Limits } from './limits.ts';
import { graph, model, node, refusal, reluModel, value } from './model.fixture.ts';
import { parseModel, readModel } from './read.ts';
import { float32Tensor } from './tensor.ts';
import { WireWriter } from './wire.ts';
import { serializeModel } from './write.ts';

const bytesOf = (write: (w: WireWriter) => void): Uint8Array => {
  const w = new WireWriter();
  write(w);
  return Uint8Array.from(Buffer.concat(w.chunks()));
};

/** A model file around a graph that `write` fills with whatever it likes. */
const fileAround = (write: (graph: WireWriter) => void): Uint8Array =>
  bytesOf((w) => {
    w.int(1, 8);
    w.message(7, write);
    w.message(8, (opset) => opset.int(2, 17));
  });

const parseRefusal = (bytes: Uint8Array, limits?: Partial<Limits>) =>
  refusal(() => parseModel(bytes, limits === undefined ? {} : { limits }));

/** Runs the parser on bytes of any kind: it gives a model or a GlacisError, nothing else. */
function parseOrRefuse(bytes: Uint8Array): 'read' | string {
  try {
    parseModel(bytes);
    return 'read';
  } catch (thrown) {
    if (thrown instanceof GlacisError) return thrown.code;
    throw thrown;
  }
}

describe('parseModel on hostile bytes', () => {
  it('refuses random bytes with an error of its own', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(['model/unreadable', 'model/invalid', 'model/too-large']).toContain(parseOrRefuse(bytes));
      }),
      { numRuns: 3000 },
    );
  });

  it('survives every change of a few bytes', () => {
    const change = fc.record({ at: fc.nat(), byte: fc.nat(255) });
    fc.assert(
      fc.property(modelWith(anyText), fc.array(change, { minLength: 1, maxLength: 4 }), (m, changes) => {
        const bytes = serializeModel(m);
        for (const { at, byte } of changes) bytes[at % bytes.length] = byte;
        expect(['read', 'model/unreadable', 'model/invalid', 'model/too-large']).toContain(
          parseOrRefuse(bytes),
        );
      }),
      { numRuns: 1000 },
    );
  });

  it('survives being cut off anywhere, and never takes a cut graph for a whole one', () => {
    const w = float32Tensor([3], [1, 2, 3]);
    const m = model(
      graph({
        inputs: [value('x', [3])],
        outputs: [value('y', [3])],
        initializers: { w },
        nodes: [node('Add', ['x', 'w'], ['y'])],
      }),
    );
    const bytes = serializeModel(m);
    // The opset import is written after the graph: a file without it is never valid.
    for (let length = 0; length < bytes.length; length++) {
      expect(parseOrRefuse(bytes.slice(0, length)), `${length} bytes`).not.toBe('read');
    }
    expect(parseOrRefuse(bytes)).toBe('read');
  });

  it('bounds graphs inside graphs, far beyond what a stack could hold', async () => {
    let inner = bytesOf((w) => w.text(2, 'innermost'));
    for (let i = 0; i < 40; i++) {
      const body = inner;
      inner = bytesOf((g) =>
        g.message(1, (n) => {
          n.text(4, 'If');
          n.message(5, (a) => {
            a.text(1, 'then_branch');
            a.int(20, 5);
            a.bytes(6, body);
          });
        }),
      );
    }
    const { code, message } = await parseRefusal(fileAround((g) => g.raw(inner)));
    expect([code, message]).toEqual(['model/too-large', expect.stringContaining('32 levels of graphs')]);
    // A hundred thousand levels, built from the inside out by hand, because writing them recursively would overflow.
    const levels: Uint8Array[] = [];
    let length = 0;
    for (let i = 0; i < 100_000; i++) {
      const head = (field: number, size: number) => {
        const part = bytesOf((w) => w.int(1, size)).slice(1);
        levels.push(part, Uint8Array.of((field << 3) | 2));
        length += part.length + 1;
      };
      head(6, length);
      levels.push(bytesOf((a) => a.text(1, 'then_branch')));
      length += 13;
      head(5, length);
      head(1, length);
    }
    const deep = Uint8Array.from(Buffer.concat(levels.reverse()));
    expect((await parseRefusal(fileAround((g) => g.raw(deep)))).code).toBe('model/too-large');
  });

  it('bounds nodes, tensors, attributes, values, lists, names and file size', async () => {
    const m = serializeModel(
      model(
        graph({
          inputs: [value('x'), value('other')],
          outputs: [value('y')],
          initializers: { a: float32Tensor([1], [1]), b: float32Tensor([1], [1]) },
          nodes: [
            node('Relu', ['x'], ['h'], {
              a: { kind: 'ints', value: [1, 2, 3] },
              b: { kind: 'int', value: 1 },
            }),
            node('Relu', ['h'], ['y']),
          ],
        }),
      ),
    );
    for (const [key, limit] of Object.entries({
      nodes: 1,
      tensors: 1,
      attributes: 1,
      values: 3,
      list: 2,
      fileBytes: 50,
    })) {
      const { code, message } = await parseRefusal(m, { [key]: limit });
      expect([code, message], key).toEqual(['model/too-large', expect.stringContaining(`at most ${limit} `)]);
    }
    expect((await parseRefusal(m, { nameBytes: 4 })).message).toContain('name of at most 4 bytes');
    expect((await parseRefusal(m, { rank: 0 })).message).toContain('at most 0 dimensions');
    expect(() => parseModel(m)).not.toThrow();
  });

  it('refuses limits that it does not know or that are no numbers', async () => {
    const bytes = serializeModel(reluModel());
    expect((await parseRefusal(bytes, { node: 1 } as Partial<Limits>)).code).toBe('option/unknown');
    expect((await parseRefusal(bytes, { nodes: Number.NaN })).code).toBe('option/invalid');
    expect((await parseRefusal(bytes, { depth: 1000 })).code).toBe('option/invalid');
  });

  it('names a tensor whose size, type or dimensions are impossible', async () => {
    type Step = (t: WireWriter) => void;
    const dims =
      (...sizes: number[]): Step =>
      (t) =>
        t.ints(1, sizes);
    const dtype =
      (code: number): Step =>
      (t) =>
        t.int(2, code);
    const raw =
      (length: number): Step =>
      (t) =>
        t.bytes(9, new Uint8Array(length));
    const cases: readonly [string, ...Step[]][] = [
      ['expected 12 bytes for float32[3], got 8', dims(3), dtype(1), raw(8)],
      ['expected 4 bytes for float32[], got 0', dtype(1)],
      ['expected dimensions from 0, got -1', dims(-1), dtype(1)],
      ['expected fewer than 2^53 elements', dims(2 ** 40, 2 ** 40), dtype(1)],
      ['expected fewer than 2^53 elements', dims(2 ** 40, 2 ** 40, 0), dtype(1)],
      ['expected dimensions from 0, got 9223372036854776000', dims(2 ** 63), dtype(1)],
      ['expected an element type from 1 to 26, got 99', dtype(99)],
      ['has no element type', dims(0)],
      ['expected at most 64 dimensions, got 65', dims(...Array<number>(65).fill(1)), dtype(1)],
      ['expected at most 64 dimensions, got thousands', dims(...Array<number>(5000).fill(1)), dtype(1)],
      ['expected 2 strings for [2], got 1', dims(2), dtype(8), (t) => t.text(6, 'a')],
      ['is external data without a location', dtype(1), (t) => t.int(14, 1)],
      ['is a segment', dtype(1), (t) => t.message(3, (s) => s.int(1, 0))],
      ['in more than one data field', dims(1), dtype(1), raw(4), (t) => t.float(4, 1)],
      ['in a data field of another type', dims(1), dtype(1), (t) => t.int(7, 1)],
      ['expected 2 numbers for its dimensions, got 1', dims(2), dtype(6), (t) => t.int(5, 1)],
    ];
    for (const [expected, ...steps] of cases) {
      const file = fileAround((g) =>
        g.message(5, (t) => {
          t.text(8, 'w');
          for (const step of steps) step(t);
        }),
      );
      const { code, message } = await parseRefusal(file);
      expect([code, message]).toEqual(['model/invalid', expect.stringContaining(expected)]);
      expect(message).toContain('initializer');
    }
  });

  /** A file with one node whose attribute `alpha` has these fields. */
  const withAttribute = (...steps: ((a: WireWriter) => void)[]): Uint8Array =>
    fileAround((g) =>
      g.message(1, (n) => {
        n.text(2, 'y');
        n.text(3, 'first');
        n.text(4, 'Relu');
        n.message(5, (a) => {
          a.text(1, 'alpha');
          for (const step of steps) step(a);
        });
      }),
    );

  it('names an attribute of unknown type or without a value', async () => {
    const type = (code: number) => (a: WireWriter) => a.int(20, code);
    const cases: readonly [string, ...((a: WireWriter) => void)[]][] = [
      ['expected an attribute type from 1 to 14, got 77', type(77)],
      ['has neither a type nor a value'],
      ['is of type tensor but holds no value of it', type(4)],
      ['is of type graph but holds no value of it', type(5)],
      [
        'refers to an attribute "beta" of a function, but stands in no function',
        type(1),
        (a) => a.text(21, 'beta'),
      ],
    ];
    for (const [expected, ...steps] of cases) {
      const { code, message } = await parseRefusal(withAttribute(...steps));
      const where = 'node 0 (Relu "first"): attribute "alpha"';
      expect([code, message]).toEqual(['model/invalid', expect.stringContaining(`${where}: ${expected}`)]);
    }
  });

  it('takes the type of an attribute from its value where an old file leaves it out', () => {
    const [relu] = parseModel(withAttribute((a) => a.int(3, -1))).graph.nodes;
    expect(relu!.attributes.get('alpha')).toEqual({ kind: 'int', value: -1 });
  });

  it('removes initializers from the inputs, where files before IR 4 repeat them', () => {
    const w = float32Tensor([2], [1, 2]);
    const m = model(
      graph({
        inputs: [value('x'), value('w')],
        outputs: [value('y')],
        initializers: { w },
        nodes: [node('Add', ['x', 'w'], ['y'])],
      }),
      { irVersion: 3 },
    );
    expect(parseModel(serializeModel(m)).graph.inputs.map((v) => v.name)).toEqual(['x']);
  });

  it('reports up to ten problems at once, and how many more there are', async () => {
    const nodes = Array.from({ length: 13 }, (_, i) => node('Relu', [`missing${i}`], [`y${i}`]));
    const { message } = await parseRefusal(serializeModel(model(graph({ nodes }))));
    expect(message).toContain('13 problems');
    expect(message.split('\n')).toHaveLength(12);
    expect(message).toContain('… and 3 more');
  });

  it('reads 200,000 nodes within seconds', () => {
    const nodes = Array.from({ length: 200_000 }, (_, i) =>
      node('Relu', [i === 0 ? 'x' : `v${i - 1}`], [`v${i}`]),
    );
    const bytes = serializeModel(
      model(graph({ inputs: [value('x')], outputs: [value('v199999')], nodes: nodes.reverse() })),
    );
    const started = performance.now();
    expect(parseModel(bytes).graph.nodes[0]!.inputs).toEqual(['x']);
    expect(performance.now() - started).toBeLessThan(15_000);
  });
});

describe('readModel', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'glacis-read-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('gives the digest of the bytes and where they lie', async () => {
    const path = join(folder, 'm.onnx');
    const bytes = serializeModel(reluModel());
    await writeFile(path, bytes);
    const { file, ...m } = await readModel(path);
    expect(m).toEqual(reluModel());
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    expect(file).toEqual({ path, directory: folder, digest, byteLength: bytes.length });
  });

  it('says when there is no file, or a folder in its place', async () => {
    expect(await refusal(() => readModel(join(folder, 'none.onnx')))).toEqual({
      code: 'model/unreadable',
      message: expect.stringContaining('there is no such file'),
    });
    expect((await refusal(() => readModel(folder))).message).toContain('got a folder');
  });

  it('refuses a file over 2 GiB without reading it', async () => {
    const path = join(folder, 'huge.onnx');
    await writeFile(path, '');
    await truncate(path, 2 ** 31);
    const { code, message } = await refusal(() => readModel(path));
    expect([code, message]).toEqual(['model/too-large', expect.stringContaining('external data')]);
  });

  it('stops when it is cancelled', async () => {
    const path = join(folder, 'm.onnx');
    expect((await refusal(() => readModel(path, { signal: AbortSignal.abort() }))).code).toBe(
      'run/cancelled',
    );
  });
});
