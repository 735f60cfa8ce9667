import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WireWriter } from '../../../onnx/wire.ts';
import { ruleIds, scanBytes } from '../scan.fixture.ts';
import { tensorflowScanner } from './tensorflow.ts';

type Part = (message: WireWriter) => void;
const all =
  (...parts: readonly Part[]): Part =>
  (m) => {
    for (const part of parts) part(m);
  };
const bytesOf = (part: Part): Buffer => {
  const writer = new WireWriter();
  part(writer);
  return Buffer.concat(writer.chunks());
};
/** A node as field `at` of its parent: 1 in a graph, 3 in a function. */
const node =
  (name: string, op: string, inputs: readonly string[] = [], at = 1): Part =>
  (m) =>
    m.message(at, (n) => {
      n.text(1, name);
      n.text(2, op);
      for (const input of inputs) n.text(3, input);
    });
/** A constant that holds a text. */
const text =
  (name: string, value: string, at = 1): Part =>
  (m) =>
    m.message(at, (n) => {
      n.text(1, name);
      n.text(2, 'Const');
      attribute('value', (v) => v.message(8, (t) => t.bytes(8, Buffer.from(value))))(n);
    });
const attribute =
  (key: string, value: Part): Part =>
  (n) =>
    n.message(5, (entry) => {
      entry.text(1, key);
      entry.message(2, value);
    });
const library =
  (...functions: readonly Part[]): Part =>
  (g) =>
    g.message(2, (l) => {
      for (const body of functions)
        l.message(1, (f) => {
          f.message(1, (signature) => signature.text(1, '__inference_1'));
          body(f);
        });
    });
const saved = (graph: Part) =>
  bytesOf((m) => {
    m.int(1, 1);
    m.message(2, (meta) => {
      meta.message(1, (info) => info.text(4, 'serve'));
      meta.message(2, graph);
    });
  });
const scan = (bytes: Buffer, name = 'model.bin') => scanBytes(bytes, name, { scanners: [tensorflowScanner] });

/** What Keras writes: a serving function, and a saver whose path comes from outside. */
const usual = all(
  node('x', 'Placeholder'),
  node('y', 'MatMul', ['x', 'w']),
  node('saver_filename', 'Placeholder'),
  node('save', 'StatefulPartitionedCall', ['saver_filename']),
  library(
    all(
      node('part', 'Const', [], 3),
      node('join', 'StringJoin', ['file_prefix', 'part:output:0'], 3),
      node('shard', 'ShardedFilename', ['join:output:0'], 3),
      node('SaveV2', 'SaveV2', ['shard:filename:0'], 3),
      node('prefixes', 'Pack', ['shard:filename:0'], 3),
      node('Merge', 'MergeV2Checkpoints', ['prefixes:output:0', 'file_prefix'], 3),
      node('RestoreV2', 'RestoreV2', ['file_prefix'], 3),
    ),
  ),
);

describe('TensorFlow', () => {
  it('is clean as Keras writes it, as SavedModel, MetaGraph and GraphDef', async () => {
    const clean = { verdict: 'clean', formats: ['tensorflow'] };
    expect(await scan(saved(usual))).toMatchObject(clean);
    expect(await scan(bytesOf(usual))).toMatchObject(clean);
    expect(
      await scan(
        bytesOf((m) =>
          all(
            (x) => x.message(1, (i) => i.text(4, 'x')),
            (x) => x.message(2, usual),
          )(m),
        ),
        'model.ckpt.meta',
      ),
    ).toMatchObject(clean);
  });

  it.each([
    ['tensorflow/python-operator', node('p', 'PyFunc', ['x'])],
    ['tensorflow/python-operator', library(node('p', 'EagerPyFunc', ['x'], 3))],
    ['tensorflow/writes-file', all(node('path', 'Const'), node('w', 'WriteFile', ['path', 'x']))],
    [
      'tensorflow/writes-file',
      all(text('path', '/etc/cron.d/x'), node('i', 'Identity', ['path']), node('w', 'SaveV2', ['i'])),
    ],
    [
      'tensorflow/writes-file',
      library(all(text('path', '../x', 3), node('w', 'MergeV2Checkpoints', ['path:output:0'], 3))),
    ],
    ['tensorflow/reads-file', all(node('path', 'Const'), node('r', 'ReadFile', ['path']))],
    ['tensorflow/may-read-files', all(node('path', 'Placeholder'), node('r', 'ReadFile', ['path']))],
    ['tensorflow/may-write-files', all(node('path', 'Placeholder'), node('r', 'WriteFile', ['path']))],
    ['tensorflow/network', node('d', 'DataServiceDatasetV2')],
  ])('reports %s', async (rule, part) => {
    expect(ruleIds(await scan(saved(all(usual, part))))).toEqual([rule]);
    expect(ruleIds(await scan(bytesOf(all(node('a', 'NoOp'), part))))).toEqual([rule]);
  });

  it('shows the path, and knows a screen from a file and a default from an escape', async () => {
    const read = all(text('path', '/etc/passwd'), node('r', 'ReadFile', ['path']));
    const { findings } = await scan(bytesOf(all(node('a', 'NoOp'), read)));
    expect(findings.map(({ what }) => what)).toEqual(['ReadFile in graph, node r, "/etc/passwd"']);
    const print =
      (stream: string): Part =>
      (m) =>
        m.message(1, (n) => {
          n.text(1, 'p');
          n.text(2, 'PrintV2');
          attribute('output_stream', (v) => v.text(2, stream))(n);
        });
    expect((await scan(bytesOf(all(node('a', 'NoOp'), print('stderr'))))).verdict).toBe('clean');
    expect(ruleIds(await scan(bytesOf(all(node('a', 'NoOp'), print('file:///tmp/x')))))).toEqual([
      'tensorflow/writes-file',
    ]);
    const old = all(text('save/Const', 'model'), node('save', 'SaveV2', ['save/Const']));
    expect((await scan(bytesOf(all(node('a', 'NoOp'), old)))).verdict).toBe('clean');
  });

  it('does not take many harmless paths for all of them', async () => {
    const many: Part = (m) =>
      m.message(1, (n) => {
        n.text(1, 'paths');
        n.text(2, 'Const');
        attribute('value', (v) =>
          v.message(8, (t) => {
            for (let i = 0; i < 100; i++) t.bytes(8, Buffer.from(i === 99 ? '/etc/passwd' : 'model'));
          }),
        )(n);
      });
    const graph = all(node('a', 'NoOp'), many, node('w', 'MergeV2Checkpoints', ['paths']));
    expect(ruleIds(await scan(bytesOf(graph)))).toEqual(['tensorflow/writes-file']);
  });

  it('follows circles of nodes to an end', async () => {
    const circle = all(
      node('a', 'Identity', ['b']),
      node('b', 'Identity', ['a']),
      node('r', 'ReadFile', ['a']),
    );
    expect(ruleIds(await scan(bytesOf(circle)))).toEqual(['tensorflow/reads-file']);
  });

  it('CVE-2024-3660: finds a Lambda layer in keras_metadata.pb', async () => {
    const metadata = bytesOf((m) =>
      m.message(1, (object) => {
        object.text(3, 'root.layer-0');
        object.text(5, JSON.stringify({ class_name: 'Lambda', config: { function_type: 'lambda' } }));
      }),
    );
    expect(ruleIds(await scan(metadata, 'keras_metadata.pb'))).toEqual(['keras/lambda']);
  });

  it('cut off is unreadable; changed in any byte it throws nothing', async () => {
    const bytes = saved(usual);
    expect((await scan(bytes.subarray(0, bytes.length - 5))).verdict).toBe('unreadable');
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(255), async (at, value) => {
        const changed = Buffer.from(bytes);
        changed[at] = value;
        expect(ruleIds(await scan(changed, 'saved_model.pb'))).not.toContain('file/scanner-failed');
      }),
      { numRuns: 200 },
    );
  });
});
