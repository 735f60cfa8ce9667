import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { GlacisError } from '../../../../core/error.ts';
import type { Sighting } from '../../../sighting.ts';
import { blocksOf } from '../../open-past.ts';
import { pastFromTraces } from './past-from-traces.ts';
import { traceFiles } from './trace-files.ts';
import { openTraceObjects } from './trace-objects.ts';
import { openTraces } from './traces.ts';

const folder = mkdtempSync(join(tmpdir(), 'glacis-traces-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// Written by Triton 2.51.0 (of nvidia-pytriton 0.7.0) with levels TIMESTAMPS and TENSORS, rate=1 and log-frequency=4 on 2026-11-23; inputs are those of payload-events.test.ts, from the same seed.
const vector = (index: number) => readFileSync(new URL(`./vectors/trace.json.${index}`, import.meta.url));

/** Calls of a file that comes in blocks of so many bytes; undefined for what is no call of its own. */
function read(bytes: Uint8Array, each = bytes.length, model?: string) {
  const [objects, traces] = [openTraceObjects(), openTraces(model, 0)];
  const found: (Sighting | undefined)[] = [];
  for (let at = 0; at < bytes.length; at += Math.max(1, each)) {
    objects.push(Buffer.from(bytes.subarray(at, at + Math.max(1, each))));
    for (let object = objects.next(); object !== undefined; object = objects.next())
      found.push(...traces.read(object));
  }
  found.push(...traces.end(objects.end()));
  return { found, end: objects.end() };
}
const calls = (text: string, model?: string) =>
  read(Buffer.from(text), undefined, model).found.filter((each) => each !== undefined);
const tensor = (over: object, activity = 'TENSOR_QUEUE_INPUT') =>
  JSON.stringify({
    ...{ id: 1, activity, tensor: { name: 'x', data: '1,2', shape: '1,2', dtype: 'FP32', ...over } },
  });
const START =
  '{"id":1,"model_name":"m","model_version":1},{"id":1,"timestamps":[{"name":"REQUEST_START","ns":5000000}]}';

describe('a trace file of a Triton', () => {
  it('gives calls with input, answer, time and latency', () => {
    const { found, end } = read(vector(0));
    expect(end).toBe('whole');
    expect(found).toMatchObject([
      { id: 'trace 1', model: 'signs', version: '1', n: 2, outcome: 'answered', principal: undefined },
      { id: 'trace 2', model: 'signs', n: 1 },
      { id: 'trace 3', model: 'signs', n: 1 },
      { id: 'trace 4', model: 'bytes8', n: 2 },
    ]);
    const labels = found.map((each) => each!.top!.map(([label]) => label));
    expect(labels).toEqual([[0, 2], [2], [0], [2, 0]]);
    expect(found[0]!.top![0]![1]).toBeCloseTo(0.649765, 6);
    expect([...found[2]!.sketch!.values].slice(0, 4)).toEqual([NaN, Infinity, -Infinity, 0.5]);
    // Bytes that are a quote, a comma, a line feed, a backslash, zero and 255 are written as they are.
    expect([...found[3]!.sketch!.values]).toEqual([34, 44, 34, 115, 10, 92, 0, 255, 1, 2, 3, 4, 5, 6, 7, 92]);
    expect(found.every((each) => [1, 2, 5, 10, 20, 50, 100, 200].includes(each!.bucket))).toBe(true);
    expect(found[0]!.at).toBeCloseTo(55_637_034, -3);
  });

  it('counts texts and half floats, leaves out models within an ensemble, and requests that were refused', () => {
    const { found } = read(vector(1));
    expect(found.map((each) => each?.model)).toEqual(['half', 'text', undefined, 'chain', undefined]);
    expect(found.filter((each) => each !== undefined)).toMatchObject([
      { n: 1, sketch: undefined, top: [[2, expect.closeTo(0.807874, 6)]] },
      {
        n: 2,
        sketch: undefined,
        top: [
          [3, NaN],
          [5, NaN],
        ],
      },
      { n: 1, sketch: { rows: 1, width: 16 } },
    ]);
  });

  it('is read alike whatever the blocks it comes in', () => {
    for (const index of [0, 1]) {
      const whole = read(vector(index)).found;
      for (const each of [1, 2, 7, 100, 1021]) expect(read(vector(index), each).found).toEqual(whole);
    }
  });

  it('may end anywhere: what was whole is read', () => {
    const bytes = vector(0);
    let most = 0;
    for (let end = 1; end < bytes.length; end += 3) {
      const whole = read(bytes.subarray(0, end), 512).found.filter((each) => each !== undefined).length;
      expect(whole).toBeGreaterThanOrEqual(most);
      most = whole;
    }
    expect(most).toBe(4);
  });
});

describe('traces as documents show them', () => {
  it('all in one object, as older versions wrote them, with blanks between', () => {
    // https://docs.nvidia.com/deeplearning/triton-inference-server/archives/triton_inference_server_220/user-guide/docs/trace.html
    const text = `[
  { "model_name": "simple", "model_version": -1, "id":1,
    "timestamps" : [ { "name": "http recv start", "ns": 2259961222771924 }, { "name": "REQUEST_START", "ns": 2259961222820985 }, { "name": "REQUEST_END", "ns": 2259961223217254 } ] },
  { "id": 1, "activity": "TENSOR_QUEUE_INPUT", "tensor":{ "name": "data", "data": "0.1,0.1e-2,-3" , "shape": "1,3", "dtype": "FP32" } }
]`;
    expect(calls(text)).toMatchObject([{ model: 'simple', version: undefined, bucket: 1, n: 1 }]);
    expect([...calls(text)[0]!.sketch!.values]).toEqual([0.1, 0.001, -3].map(Math.fround));
  });

  it('with texts in bare quotes, as versions of 2022 wrote them', () => {
    // https://github.com/triton-inference-server/server/issues/4636
    const text = `[${START},{"id":1,"activity":"TENSOR_QUEUE_INPUT","tensor":{"name":"Sex","data":""male"","shape":"1","dtype":"BYTES"}}]`;
    expect(calls(text)).toMatchObject([{ n: 1, sketch: undefined }]);
  });

  it('of the same id in one server’s next life are other calls', () => {
    const traces = openTraces(undefined, 0);
    const ids = [5, 5, 6].map((milliseconds) => {
      for (const object of JSON.parse(`[${START.replace('5000000', `${milliseconds}000000`)}]`))
        traces.read({ json: Buffer.from(JSON.stringify(object)), data: undefined });
      return traces.end('whole')[0]!.id;
    });
    expect(ids).toEqual(['trace 1', 'trace 1', 'trace 1 6']);
  });

  it('say what is missing', () => {
    expect(() => calls(`[{"id":1,"model_name":"m"},${tensor({})}]`)).toThrow(/level=TIMESTAMPS/);
    expect(() => calls('[{"id":1,"timestamps":[{"name":"REQUEST_START","ns":1}]}]')).toThrow(/--model/);
    expect(calls('[{"id":1,"timestamps":[{"name":"REQUEST_START","ns":1}]}]', 'm')).toMatchObject([
      { model: 'm' },
    ]);
  });
});

describe('traces that lie', () => {
  it.each([
    [{ shape: '1,3' }, /expected 3 numbers for FP32 \[1, 3\], got 2/],
    [{ shape: '99999999999,99999999999,8' }, /expected Infinity numbers/],
    [{ shape: '0,2' }, /expected 0 numbers/],
    [{ shape: '-1,2' }, /expected a shape/],
    [{ shape: '1,'.repeat(40) }, /at most 32 sizes/],
    [{ shape: [1, 2] }, /got none/],
    [{ dtype: 'FP31' }, /expected a dtype such as FP32, got "FP31"/],
    [{ dtype: 1 }, /expected a dtype/],
    [{ data: '1,x' }, /got something else/],
    [{ data: 'nan,1', dtype: 'INT32' }, /got something else/],
    [{ data: `1,${'9'.repeat(40)}` }, /got something else/],
    [{ data: '1,2,' }, /got 3/],
  ])('about a tensor are refused: %j', (over, says) => {
    expect(() => calls(`[${START},${tensor(over)}]`)).toThrow(says);
  });

  it.each([
    ['{"id":1}', /a list of objects, got another byte at the beginning/],
    ['[1]', /between them/],
    ['[{"id":1}]x', /behind the list/],
    ['[{"id":"1"}]', /with an id/],
    ['[{"id":1.5}]', /with an id/],
    ['[{"id":1,}]', /as JSON/],
    ['[{"id":1,"model_name":7}]', /model_name as a text/],
    ['[{"id":1,"timestamps":{}}]', /as a list/],
    ['[{"id":1,"timestamps":[{"name":"A","ns":-1}]}]', /with a name and ns/],
    ['[{"id":1,"timestamps":[{"name":"A","ns":1e300}]}]', /with a name and ns/],
    ['[{"id":1,"activity":"TENSOR_QUEUE_INPUT"}]', /a tensor with data/],
    [`[{"id":1,"activity":"NONE","tensor":{"data":"1","shape":"1","dtype":"FP32"}}]`, /an activity such as/],
    [`[${'{"a":'.repeat(9)}`, /at most 8 deep/],
    [`[${'['.repeat(100_000)}`, /between them/],
    [`[{"a":${'['.repeat(100_000)}`, /at most 8 deep/],
  ])('about their form are refused: %s', (text, says) => {
    expect(() => calls(text)).toThrow(says);
  });

  it('numbers of one digit in 8-bit types are bytes, longer ones numbers', () => {
    const samples = (data: string, dtype: string) => [
      ...calls(`[${START},${tensor({ data, dtype })}]`)[0]!.sketch!.values,
    ];
    expect(samples('a,b', 'UINT8')).toEqual([97, 98]);
    expect(samples('97,98', 'UINT8')).toEqual([97, 98]);
    expect(samples('-7,98', 'INT8')).toEqual([-7, 98]);
    expect(samples('1,0', 'BOOL')).toEqual([1, 0]);
  });

  it('throw nothing but that they do not fit, whatever the bytes and the blocks', () => {
    const sound = vector(0);
    const piece = fc.oneof(
      ...[fc.uint8Array({ maxLength: 40 }), fc.string().map((text) => Buffer.from(text))],
      fc
        .constantFrom('","shape":"', '"data":"', '{"id":1,', '}]', '"', '\\', '[', '{')
        .map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(
        ...([piece, fc.nat(sound.length), fc.nat(sound.length), fc.integer({ min: 1, max: 3000 })] as const),
        (noise, from, to, each) => {
          const bytes = Buffer.concat([sound.subarray(0, from), noise, sound.subarray(to)]);
          const outcome = (size: number) => {
            try {
              return read(bytes, size).found.length;
            } catch (thrown) {
              expect(thrown).toBeInstanceOf(GlacisError);
              expect((thrown as GlacisError).code).toBe('data/mismatch');
              return (thrown as GlacisError).message;
            }
          };
          expect(outcome(each)).toEqual(outcome(bytes.length));
        },
      ),
    );
  });

  it('throw nothing else where tensors are of any kind', () => {
    const odd = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom('1,2', '1', 'FP32', 'UINT8', 'BYTES', ''),
    );
    const object = fc.record(
      {
        ...{ id: fc.constantFrom(1, 2, -1), model_name: fc.oneof(fc.constant('m'), odd), parent_id: odd },
        ...{ timestamps: fc.oneof(fc.constant([{ name: 'REQUEST_START', ns: 1 }]), odd) },
        activity: fc.constantFrom('TENSOR_QUEUE_INPUT', 'TENSOR_BACKEND_OUTPUT', 'X', 1),
        tensor: fc.oneof(fc.record({ name: odd, data: odd, shape: odd, dtype: odd }), odd),
      },
      { requiredKeys: ['id'] },
    );
    fc.assert(
      fc.property(fc.array(object, { maxLength: 5 }), (all) => {
        try {
          for (const each of calls(JSON.stringify(all))) expect(each.n).toBeGreaterThanOrEqual(0);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(GlacisError);
        }
      }),
    );
  });

  it('take no longer than their length, and no more memory than an object may have', () => {
    const started = performance.now();
    const objects = openTraceObjects();
    objects.push(Buffer.from('[{"id":1,"tensor":{"data":"'));
    const block = Buffer.from('"shape",'.repeat(2 ** 17));
    expect(() => {
      for (let i = 0; i < 70; i++) {
        objects.push(block);
        objects.next();
      }
    }).toThrow(/at most 67108864 bytes/);
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

describe('files of a trace', () => {
  const write = (name: string, bytes: Uint8Array) => writeFileSync(join(folder, name), bytes);
  const readAll = async (paths: readonly string[]) => {
    const [found, skipped]: [Sighting[], number[]] = [[], []];
    for await (const block of blocksOf(pastFromTraces(paths, { booted: Date.UTC(2026, 10, 1) }))) {
      found.push(...block.sightings);
      skipped.push(block.skipped);
    }
    return { found, skipped: skipped.reduce((sum, each) => sum + each, 0) };
  };

  it('are those with its name and a number, in the order of numbers, packed or not', async () => {
    for (const name of [
      't.json.10',
      't.json.x',
      't.json.2',
      'other.json',
      't.json',
      't.json.0.gz',
      't.jsonl.1',
    ])
      write(name, name.endsWith('gz') ? gzipSync(vector(0)) : vector(1));
    expect(await traceFiles(join(folder, 't.json'))).toEqual(
      ['t.json.0.gz', 't.json.2', 't.json.10', 't.json'].map((name) => join(folder, name)),
    );
    expect(await traceFiles(join(folder, 't.json.2'))).toEqual([join(folder, 't.json.2')]);
    for (const none of ['none.json', join('none', 't.json')])
      await expect(traceFiles(join(folder, none))).rejects.toMatchObject({ code: 'data/unreadable' });
    const { found, skipped } = await readAll(await traceFiles(join(folder, 't.json')));
    // The same file thrice is the same calls thrice, which monitors count once.
    expect([found.length, new Set(found.map(({ id }) => id)).size, skipped]).toEqual([13, 7, 6]);
    expect(new Date(found[0]!.at).toISOString()).toMatch(/^2026-11-01T15:27:17/);
  });

  it('say where something is wrong: file and object', async () => {
    write('wrong.json', Buffer.from(`[${START},${tensor({ dtype: 'X' })}]`));
    await expect(readAll([join(folder, 'wrong.json')])).rejects.toMatchObject({
      ...{ code: 'data/mismatch', message: expect.stringMatching(/wrong\.json: object 3: expected a dtype/) },
    });
    write('broken.json', Buffer.from(`[${START}7]`));
    await expect(readAll([join(folder, 'broken.json')])).rejects.toThrow(
      /broken\.json: behind object 2: expected a list/,
    );
    write('cut.json.gz', gzipSync(vector(0)).subarray(0, 300));
    await expect(readAll([join(folder, 'cut.json.gz')])).rejects.toMatchObject({ code: 'data/unreadable' });
    write('cut.json', vector(0).subarray(0, 3000));
    expect((await readAll([join(folder, 'cut.json')])).skipped).toBe(1);
  });
});
