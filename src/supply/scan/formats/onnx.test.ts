import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WireWriter } from '../../../onnx/wire.ts';
import { ruleIds, scanBytes } from '../scan.fixture.ts';
import { scanPaths } from '../scan-paths.ts';
import { onnxScanner } from './onnx.ts';

const scanners = [onnxScanner];
type Part = (message: WireWriter) => void;

function model(graph: Part, more: Part = () => {}): Buffer {
  const writer = new WireWriter();
  writer.int(1, 8);
  writer.text(2, 'pytorch');
  writer.message(7, graph);
  more(writer);
  writer.message(8, (opset) => opset.int(2, 17));
  return Buffer.concat(writer.chunks());
}
const node =
  (op: string, domain = '', attributes: readonly Part[] = []): Part =>
  (graph) =>
    graph.message(1, (n) => {
      n.text(4, op);
      for (const attribute of attributes) n.message(5, attribute);
      n.text(7, domain);
    });
const tensor =
  (dims: readonly number[], raw: Uint8Array): Part =>
  (t) => {
    t.ints(1, dims);
    t.int(2, 1);
    t.text(8, 'w');
    t.bytes(9, raw);
  };
const external =
  (location: string, offset = '0', length = '4'): Part =>
  (graph) =>
    graph.message(5, (t) => {
      t.ints(1, [1]);
      t.int(2, 1);
      t.text(8, 'w');
      for (const [key, value] of [
        ['location', location],
        ['offset', offset],
        ['length', length],
      ] as const)
        t.message(13, (entry) => {
          entry.text(1, key);
          entry.text(2, value);
        });
      t.int(14, 1);
    });
const all =
  (...parts: readonly Part[]): Part =>
  (m) => {
    for (const part of parts) part(m);
  };
const ids = async (bytes: Buffer) => ruleIds(await scanBytes(bytes, 'm.bin', { scanners }));

describe('an ONNX model', () => {
  it('of standard operators, of ONNX Runtime’s, and of its own functions is clean', async () => {
    const own: Part = (m) =>
      m.message(25, (f) => {
        f.text(1, 'Mine');
        f.message(7, (n) => n.text(4, 'Relu'));
        f.text(10, 'my.domain');
      });
    const bytes = model(
      all(node('Conv'), node('FusedConv', 'com.microsoft'), node('Mine', 'my.domain'), (g) =>
        g.message(5, tensor([2, 2], new Uint8Array(16))),
      ),
      own,
    );
    expect(await scanBytes(bytes, 'x', { scanners })).toMatchObject({ verdict: 'clean', formats: ['onnx'] });
  });

  it('with operators of a foreign domain is suspicious, however deep they are', async () => {
    const deep = node('If', '', [
      (a) => a.message(6, node('Loop', '', [(b) => b.message(11, node('Evil', 'org.evil'))])),
    ]);
    expect(await ids(model(deep))).toEqual(['onnx/custom-operator']);
    expect(
      await ids(
        model(node('Relu'), (m) =>
          m.message(25, (f) =>
            f.message(7, (n) =>
              all(
                (x) => x.text(4, 'E'),
                (x) => x.text(7, 'e'),
              )(n),
            ),
          ),
        ),
      ),
    ).toEqual(['onnx/custom-operator']);
    expect(await ids(model(node('PyOp', 'ai.onnx.contrib')))).toEqual(['onnx/python-operator']);
  });

  it.each(['../../etc/passwd', '/etc/passwd', 'a/../../b', '..\\secret', 'C:\\secret', 'http://evil/x'])(
    'CVE-2022-25882, CVE-2024-27318, CVE-2025-51480: external data at %s is malicious',
    async (location) => {
      const result = await scanBytes(model(external(location)), 'm.onnx', { scanners });
      expect([result.verdict, ruleIds(result)]).toEqual(['malicious', ['onnx/external-escape']]);
      expect(await ids(model(node('Constant', '', [external(location)])))).toEqual(['onnx/external-escape']);
    },
  );

  it('with tensors that do not fit their shape is suspicious', async () => {
    expect(await ids(model((g) => g.message(5, tensor([2, 2 ** 40], new Uint8Array(16)))))).toEqual([
      'onnx/tensor-size',
    ]);
    expect(await ids(model((g) => g.message(5, tensor([-1], new Uint8Array(4)))))).toEqual([
      'onnx/tensor-size',
    ]);
  });

  it('cut off is unreadable, and what came before is reported', async () => {
    const bytes = model(
      all(node('Evil', 'org.evil'), (g) => g.message(5, tensor([100], new Uint8Array(400)))),
    );
    expect(await ids(bytes.subarray(0, bytes.length - 300))).toContain('file/damaged');
    const twice = Buffer.concat([model(node('Evil', 'org.evil')), Buffer.from([0x3a, 0x7f])]);
    expect(await ids(twice)).toEqual(['file/damaged', 'onnx/custom-operator']);
  });

  it('changed in any byte throws nothing', async () => {
    const bytes = model(
      all(node('If', '', [(a) => a.message(6, node('Relu'))]), external('w.bin'), (g) =>
        g.message(5, tensor([2], new Uint8Array(8))),
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(255), async (at, value) => {
        const changed = Buffer.from(bytes);
        changed[at] = value;
        expect(ruleIds(await scanBytes(changed, 'm.onnx', { scanners }))).not.toContain(
          'file/scanner-failed',
        );
      }),
      { numRuns: 200 },
    );
  });
});

describe('external data in a folder', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'glacis-scan-onnx-'));
    mkdirSync(join(folder, 'model'));
    writeFileSync(join(folder, 'outside.bin'), Buffer.alloc(64, 200));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const lay = (name: string, bytes: Uint8Array) => writeFileSync(join(folder, 'model', name), bytes);
  const found = async () => {
    const { files } = await scanPaths([join(folder, 'model')]);
    return [...new Set(files.flatMap(({ findings }) => findings.map(({ rule }) => rule)))].sort();
  };

  it('beside the model is vouched for, when it fits', async () => {
    lay('m.onnx', model(external('w.bin')));
    lay('w.bin', Buffer.alloc(4, 200));
    expect(await found()).toEqual([]);
    lay('m.onnx', model(external('w.bin', '2', '4')));
    expect(await found()).toEqual(['onnx/external-range']);
    lay('m.onnx', model(external('w.bin', '-1', '4')));
    expect(await found()).toEqual(['onnx/external-range']);
  });

  it('CVE-2026-27489: behind a folder that is a link is malicious', async () => {
    lay('m.onnx', model(external('sub/outside.bin')));
    symlinkSync(folder, join(folder, 'model', 'sub'));
    expect(await found()).toContain('onnx/external-link');
  });

  it('CVE-2026-34446: that is a symbolic link is malicious', async () => {
    lay('m.onnx', model(external('w.bin')));
    symlinkSync(join(folder, 'outside.bin'), join(folder, 'model', 'w.bin'));
    expect(await found()).toContain('onnx/external-link');
  });

  it('CVE-2026-34447: that is a hard link is malicious', async () => {
    lay('m.onnx', model(external('w.bin')));
    linkSync(join(folder, 'outside.bin'), join(folder, 'model', 'w.bin'));
    expect(await found()).toContain('onnx/external-link');
  });

  it('that is missing is unreadable', async () => {
    lay('m.onnx', model(external('w.bin')));
    expect(await found()).toEqual(['onnx/external-missing']);
  });
});
