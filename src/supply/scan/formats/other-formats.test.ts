import fc from 'fast-check';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { ruleIds, scanBytes } from '../scan.fixture.ts';
import type { Collection } from '../scanner.ts';
import { openvinoScanner } from './openvino.ts';
import { skopsScanner } from './skops.ts';
import { tfliteScanner } from './tflite.ts';

const u32 = (...values: readonly number[]) => {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeInt32LE(value, 4 * i);
  return bytes;
};
const u16 = (...values: readonly number[]) => {
  const bytes = Buffer.alloc(2 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt16LE(value, 2 * i);
  return bytes;
};

/** A TensorFlow Lite model of one custom operator and one buffer that lies at `offset`. */
function tflite(operator: string, offset = 0, size = 0): Buffer {
  const text = Buffer.concat([u32(operator.length), Buffer.from(operator), Buffer.alloc(1)]);
  const padded = Buffer.concat([text, Buffer.alloc((4 - (text.length % 4)) % 4)]);
  // Root offset and mark; the model's vtable (five fields) and table; then vectors, tables and the text.
  const modelTable = 8 + 16;
  const codes = modelTable + 12;
  const code = codes + 8 + 8;
  const buffers = code + 8;
  const buffer = buffers + 8 + 12;
  const name = buffer + 20;
  return Buffer.concat([
    u32(modelTable),
    Buffer.from('TFL3'),
    u16(14, 12, 0, 4, 0, 0, 8, 0),
    u32(16, codes - (modelTable + 4), buffers - (modelTable + 8)),
    u32(1, code - (codes + 4)),
    u16(8, 8, 0, 4),
    u32(8, name - (code + 4)),
    u32(1, buffer - (buffers + 4)),
    u16(10, 20, 0, 4, 12, 0),
    u32(12, offset, 0, size, 0),
    padded,
  ]);
}
const lite = async (bytes: Buffer) => ruleIds(await scanBytes(bytes, 'm.bin', { scanners: [tfliteScanner] }));

describe('TensorFlow Lite', () => {
  it('with operators of TensorFlow’s own tools is clean', async () => {
    for (const name of ['TFLite_Detection_PostProcess', 'FlexErf'])
      expect(await scanBytes(tflite(name), 'x', { scanners: [tfliteScanner] })).toMatchObject({
        verdict: 'clean',
        formats: ['tflite'],
      });
  });
  it.each([
    ['tflite/custom-operator', tflite('MyOperator')],
    ['tflite/reaches-out', tflite('FlexReadFile')],
    ['tflite/reaches-out', tflite('FlexEagerPyFunc')],
    ['tflite/layout', tflite('FlexErf', 50, 10_000)],
    ['file/damaged', tflite('FlexErf').subarray(0, 60)],
    ['file/damaged', Buffer.concat([u32(2 ** 30), Buffer.from('TFL3')])],
  ])('reports %s', async (rule, bytes) => {
    expect(await lite(bytes)).toEqual([rule]);
  });
  it('says where an offset leads that leads out', async () => {
    const bytes = Buffer.concat([u32(2 ** 30), Buffer.from('TFL3')]);
    const { findings } = await scanBytes(bytes, 'm.bin', { scanners: [tfliteScanner] });
    expect(findings[0]!.what).toContain(`an offset to byte ${2 ** 30} of 8`);
  });
  it('changed in any byte throws nothing', async () => {
    const bytes = tflite('MyOperator');
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(255), async (at, value) => {
        const changed = Buffer.from(bytes);
        changed[at] = value;
        expect(await lite(changed)).not.toContain('file/scanner-failed');
      }),
      { numRuns: 150 },
    );
  });
});

describe('OpenVINO', () => {
  const ir = (body: string, head = '') =>
    Buffer.from(`<?xml version="1.0"?>${head}\n<net name="n" version="11"><layers>${body}</layers></net>`);
  const layer =
    '<layer id="0" name="a > b" type="Const" version="opset1"><data offset="0" size="12"/></layer>';
  const vouched: string[] = [];
  const siblings: Collection = {
    kind: 'folder',
    members: [{ name: 'm.bin', size: 12 }],
    open: async () => Promise.reject(new Error('not opened')),
    vouch: (name) => vouched.push(name),
  };
  const scan = (bytes: Buffer, name = 'm.xml') =>
    scanBytes(bytes, name, { scanners: [openvinoScanner], siblings });

  it('of known operator sets is clean, and vouches for its weights', async () => {
    expect(await scan(ir(layer))).toMatchObject({ verdict: 'clean', formats: ['openvino'] });
    expect(vouched).toContain('m.bin');
  });
  it('is found behind a long comment', async () => {
    const bytes = ir('<layer type="E" version="extension"/>', `<!--${'x'.repeat(10_000)}-->`);
    expect(ruleIds(await scan(bytes))).toEqual(['openvino/extension']);
  });
  it.each([
    ['openvino/extension', ir('<layer id="1" type="Evil" version="extension"/>')],
    ['openvino/weights-range', ir('<layer version="opset1"><data offset="8" size="12"/></layer>')],
    ['openvino/entity', ir(layer, '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>')],
  ])('reports %s', async (rule, bytes) => {
    expect(ruleIds(await scan(bytes))).toEqual([rule]);
  });
});

describe('skops', () => {
  const node = (loader: string, module: string, name: string, content: unknown = {}) => ({
    __loader__: loader,
    __module__: module,
    __class__: name,
    content,
  });
  const file = (content: unknown) =>
    Buffer.from(
      JSON.stringify({
        ...node('ObjectNode', 'sklearn.pipeline', 'Pipeline', content),
        _skops_version: '0.13',
      }),
    );
  const scan = (content: unknown) => scanBytes(file(content), 'schema.json', { scanners: [skopsScanner] });

  it('of scikit-learn’s own types is clean', async () => {
    const good = [
      node('ListNode', 'builtins', 'list', [node('NdArrayNode', 'numpy', 'ndarray')]),
      node('ObjectNode', 'sklearn.calibration', '_SigmoidCalibration'),
      node('FunctionNode', 'numpy', 'ufunc', { module_path: 'numpy', function: 'log1p' }),
      node('OperatorFuncNode', 'operator', 'itemgetter'),
      node('MethodNode', 'sklearn.linear_model', 'Ridge', {
        func: 'predict',
        obj: node('ObjectNode', 'sklearn.linear_model', 'Ridge'),
      }),
    ];
    expect(await scan(good)).toMatchObject({ verdict: 'clean', formats: ['skops'] });
  });
  it.each([
    [
      'CVE-2024-37065: a function that runs commands',
      'skops/dangerous-name',
      node('FunctionNode', 'builtins', 'type', { module_path: 'os', function: 'system' }),
    ],
    ['a class that runs commands', 'skops/dangerous-name', node('ObjectNode', 'subprocess', 'Popen')],
    [
      'CVE-2025-54412: an operator from another module',
      'skops/disguised-node',
      node('OperatorFuncNode', 'sklearn.utils', 'os'),
    ],
    ['an operator that calls', 'skops/dangerous-name', node('OperatorFuncNode', 'operator', 'methodcaller')],
    [
      'CVE-2025-54413: a method of another class than it says',
      'skops/disguised-node',
      node('MethodNode', 'sklearn.linear_model', 'Ridge', { func: 'run', obj: node('ObjectNode', 'x', 'Y') }),
    ],
    [
      'CVE-2025-54886: a method with two underscores',
      'skops/disguised-node',
      node('MethodNode', 'builtins', 'dict', { func: '__getattribute__' }),
    ],
    ['a type that nobody knows', 'skops/unknown-type', node('ObjectNode', 'my.module', 'Thing')],
  ])('%s', async (_, rule, content) => {
    expect(ruleIds(await scan([content]))).toContain(rule);
  });
});

describe('archives of these formats', () => {
  it('are read through their members: a Keras archive, a skops file', async () => {
    const lambda = JSON.stringify({
      class_name: 'Sequential',
      config: { layers: [{ class_name: 'Lambda', config: {} }] },
    });
    const keras = zipSync({ 'config.json': Buffer.from(lambda), 'metadata.json': Buffer.from('{}') });
    const result = await scanBytes(keras, 'model.keras');
    expect([result.verdict, ruleIds(result)]).toEqual(['malicious', ['keras/lambda']]);
    expect(result.findings[0]?.place.inner).toEqual(['config.json']);
    const schema = JSON.stringify({
      __loader__: 'ObjectNode',
      __module__: 'os',
      __class__: 'system',
      content: {},
    });
    const late = `{"x": "${'x'.repeat(10_000)}", "y": ${schema}}`;
    for (const text of [schema, late])
      expect(ruleIds(await scanBytes(zipSync({ 'schema.json': Buffer.from(text) }), 'm.skops'))).toContain(
        'skops/dangerous-name',
      );
  });
});
