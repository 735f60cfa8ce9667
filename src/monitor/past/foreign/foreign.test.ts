import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { GlacisError } from '../../../core/error.ts';
import type { Sighting } from '../../sighting.ts';
import { blocksOf } from '../open-past.ts';
import { openInferenceEvents } from './inference-events.ts';
import { bucketOf, mappedLine } from './mapped-line.ts';
import { KNOWN, readMapping } from './mapping.ts';
import { FORMATS, type LineFormat, pastFromForeign } from './past-from-foreign.ts';

const folder = mkdtempSync(join(tmpdir(), 'glacis-foreign-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const read = async (lines: readonly string[], format: LineFormat, model?: string, packed = false) => {
  const path = join(folder, packed ? 'log.gz' : 'log');
  const text = `${lines.join('\n')}\n`;
  writeFileSync(path, packed ? gzipSync(text) : text);
  const sightings: Sighting[] = [];
  let skipped = 0;
  for await (const block of blocksOf(pastFromForeign(path, format, { model }))) {
    sightings.push(...block.sightings);
    skipped += block.skipped;
  }
  return { sightings, skipped };
};
const AT = Date.UTC(2026, 10, 22, 9, 30, 12);

// As the documents of nginx and Envoy show them.
const NGINX =
  '192.0.2.7 - ann [22/Nov/2026:10:30:12 +0100] "POST /v2/models/signs/versions/3/infer HTTP/1.1" 200 512 "-" "curl/8 \\"x\\""';
const ENVOY =
  '[2026-11-22T09:30:12.000Z] "POST /v2/models/signs/infer HTTP/1.1" 429 - 154 0 226 100 "10.0.35.28, 10.0.0.1" "nsq2http" "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "locations" "tcp://10.0.2.1:80"';
const ENVOY_NOW =
  '[2026-11-22T09:30:12.000Z] "POST /v1/models/signs:predict HTTP/2" 200 - via_upstream - "-" 154 0 7 6 "10.0.35.28" "python" "id-2" "locations" "10.0.2.1:80"';

describe('access logs of other servers', () => {
  it('nginx: who, when, which model, and what became of it', async () => {
    const lines = [NGINX, `${NGINX} 0.013`, NGINX.replace('/v2/models/signs/versions/3/infer', '/health')];
    const { sightings, skipped } = await read(lines, 'nginx');
    expect(skipped).toBe(1);
    expect(sightings).toMatchObject([
      {
        ...{ id: 'line 1', at: AT, principal: 'ann', address: '192.0.2.7', model: 'signs', version: '3' },
        ...{ outcome: 'answered', n: 1, bucket: 0 },
      },
      { id: 'line 2', bucket: 20 },
    ]);
    expect((await read(lines, 'nginx', undefined, true)).sightings).toEqual(sightings);
  });

  it('Envoy: the default line of then and now, and the same as JSON', async () => {
    const json = JSON.stringify({
      ...{ start_time: '2026-11-22T09:30:12.000Z', path: '/serving/v2/models/signs/infer', duration: 7 },
      ...{ response_code: 503, x_forwarded_for: '10.0.35.28', request_id: 'id-3' },
    });
    const { sightings } = await read([ENVOY, ENVOY_NOW], 'envoy');
    expect(sightings).toMatchObject([
      {
        ...{ id: 'cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2', at: AT, address: '10.0.35.28', model: 'signs' },
        ...{ outcome: 'throttled', bucket: 500 },
      },
      { id: 'id-2', model: 'signs', outcome: 'answered', bucket: 10 },
    ]);
    expect((await read([json], 'envoy-json')).sightings).toMatchObject([
      { id: 'id-3', at: AT, outcome: 'unavailable', address: '10.0.35.28', bucket: 10 },
    ]);
  });

  it('name the line that does not fit, and read no further', async () => {
    for (const [format, line] of [
      ['nginx', 'no such line'],
      ['nginx', NGINX.replace('22/Nov', '22/Foo')],
      ['envoy', NGINX],
      ['envoy-json', '[]'],
      ['envoy-json', '{"path":"/v2/models/a/infer"}'],
      ['kserve-cloudevents', '{"id":1}'],
    ] as const)
      await expect(read([format === 'nginx' ? NGINX : '', line], format), line).rejects.toMatchObject({
        ...{ code: 'data/mismatch', message: expect.stringMatching(/log:2: expected/) },
      });
  });
});

describe('a mapping', () => {
  const YAML = `
schema: glacis.log-mapping/1
fields:
  id: request.id
  time: ts
  principal: user
  model: model
  status: code
  milliseconds: took
  scores: answer
`;
  it('says where each field stands in lines of JSON', async () => {
    const line = {
      ...{ request: { id: 'a' }, ts: AT, user: 'ann', model: 'signs', code: 200, took: 3 },
      answer: [
        [0.1, 0.7, 0.2],
        [0.9, 0.05, 0.05],
      ],
    };
    const { sightings } = await read([JSON.stringify(line)], readMapping(YAML, 'm.yaml'));
    expect(sightings).toMatchObject([
      { id: 'a', at: AT, principal: 'ann', model: 'signs', n: 2, bucket: 5, outcome: 'answered' },
    ]);
    expect(sightings[0]!.top!.map(([label]) => label)).toEqual([1, 0]);
    for (const wrong of [{ answer: 'no' }, { answer: [['x']] }, { ts: 'soon' }, { code: 1.5 }, { took: -1 }])
      await expect(
        read([JSON.stringify({ ...line, ...wrong })], readMapping(YAML, 'm.yaml')),
      ).rejects.toMatchObject({ code: 'data/mismatch', message: expect.stringContaining('log:1: ') });
  });

  it('is a pattern for lines of text, with paths of its own', async () => {
    const mapping = readMapping(
      `schema: glacis.log-mapping/1
pattern: '(?<when>\\S+) (?<who>\\S+) (?<url>\\S+) (?<class>\\d+)'
paths: '^/score/(?<model>\\w+)$'
fields: { time: when, principal: who, path: url, label: class }
`,
      'm.yaml',
    );
    const { sightings, skipped } = await read(
      ['2026-11-22T09:30:12Z ann /score/credit 1', '2026-11-22T09:30:12Z ann /other 0'],
      mapping,
    );
    expect(skipped).toBe(1);
    expect(sightings).toMatchObject([{ at: AT, principal: 'ann', model: 'credit' }]);
    expect(sightings[0]!.top![0]![0]).toBe(1);
  });

  it.each([
    ['schema: other/1\nfields: { time: t, model: m }', /glacis\.log-mapping\/1/],
    ['schema: glacis.log-mapping/1\nfields: { time: t, model: m }\nextra: 1', /no key 'extra'/],
    ['schema: glacis.log-mapping/1\nfields: { time: t, colour: m }', /colour/],
    ['schema: glacis.log-mapping/1\nfields: { model: m }', /one for time/],
    ["schema: glacis.log-mapping/1\npattern: '('\nfields: { time: t, model: m }", /regular expression/],
    [
      "schema: glacis.log-mapping/1\npattern: '(?<t>x)'\nfields: { time: t, model: m }",
      /group of the pattern/,
    ],
    ['- a', /./],
    ['a: &x 1', /anchors/],
  ])('that is none is refused with what was expected: %s', (text, says) => {
    expect(() => readMapping(text, 'm.yaml')).toThrowError(
      expect.objectContaining({ code: 'policy/invalid', message: expect.stringMatching(says) }),
    );
  });
});

describe('CloudEvents of payload loggers', () => {
  const event = (type: string, id: string, data: unknown, over: object = {}) =>
    JSON.stringify({
      ...{ specversion: '1.0', id, source: 'http://localhost:9081/', time: '2026-11-22T09:30:12Z' },
      ...{ type: `org.kubeflow.serving.inference.${type}`, inferenceservicename: 'signs', namespace: 'prod' },
      ...{ data, ...over },
    });
  it('are one call for a request and its response, with a sketch and the likeliest classes', async () => {
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [2, 3], data: [1, 2, 3, 4, null, 6] }];
    const outputs = [{ name: 'y', datatype: 'FP32', shape: [2, 2], data: [0.2, 0.8, 0.9, 0.1] }];
    const { sightings, skipped } = await read(
      [
        event('request', 'a', { inputs }),
        event('response', 'a', { outputs, model_version: '3' }, { time: '2026-11-22T09:30:12.030Z' }),
        event('request', 'b', { instances: [[1], [0]] }, { data_base64: undefined }),
        event('response', 'b', { predictions: [1, 0] }),
        event('other', 'c', {}),
        event('response', 'd', { error: 'no such model' }),
      ],
      'kserve-cloudevents',
    );
    expect(skipped).toBe(3);
    expect(sightings).toMatchObject([
      {
        id: 'a',
        at: AT,
        model: 'signs',
        version: '3',
        tenant: 'prod',
        n: 2,
        bucket: 50,
        outcome: 'answered',
      },
      { id: 'b', n: 2 },
      { id: 'd', outcome: 'failed' },
    ]);
    expect(sightings[0]!.top!.map(([label]) => label)).toEqual([1, 0]);
    expect([...sightings[0]!.sketch!.values]).toEqual([1, 2, 3, 4, Number.NaN, 6]);
    expect(sightings[1]!.top!.map(([label]) => label)).toEqual([1, 0]);
  });

  it('take a body in base64 and Seldon’s types, and hold bounded memory for requests without a response', () => {
    const events = openInferenceEvents(undefined);
    const body = Buffer.from('{"predictions":[[0.1,0.9]]}').toString('base64');
    const seldon = event('response', 'a', undefined, {
      ...{ type: 'io.seldon.serving.inference.response', data_base64: body },
    });
    expect(events.read(seldon)!.top![0]![0]).toBe(1);
    for (let i = 0; i < 10_050; i++) events.read(event('request', `r${i}`, {}));
    expect(events.unanswered()).toBe(10_050);
    expect(events.read(event('response', 'r0', {}))!.bucket).toBe(0);
    expect(() =>
      openInferenceEvents(undefined).read(event('response', 'a', {}, { inferenceservicename: undefined })),
    ).toThrow(/--model/);
  });
});

describe('hostile lines', () => {
  const readers = (model: string | undefined) => [
    ...Object.values(KNOWN).map((mapping) => mappedLine(mapping, model)),
    (line: string) => openInferenceEvents(model).read(line),
  ];
  /** A call with sound parts, nothing, or the one error that there is for a line. */
  const isSound = (look: () => Sighting | undefined): void => {
    let found: Sighting | undefined;
    try {
      found = look();
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(GlacisError);
      expect((thrown as GlacisError).code).toBe('data/mismatch');
      return;
    }
    if (found === undefined) return;
    expect(Number.isFinite(found.at) && found.at >= 0 && found.at <= 8.64e15).toBe(true);
    for (const name of [found.id, found.model, found.address]) expect(typeof name).toBe('string');
    expect(found.model.length).toBeLessThanOrEqual(256);
    expect(Number.isInteger(found.n) && found.n >= 0).toBe(true);
    expect(Number.isFinite(found.bucket)).toBe(true);
  };

  it('throw nothing but that they do not fit, whatever stands in them', () => {
    const parts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.constantFrom(NGINX, ENVOY, ENVOY_NOW, '{"type":"org.kubeflow.serving.inference.request"}'),
    );
    fc.assert(
      fc.property(parts, parts, fc.nat(200), (a, b, cut) => {
        for (const line of [a, a + b, a.slice(0, cut) + b + a.slice(cut)])
          for (const look of readers('m')) isSound(() => look(line, 1));
      }),
    );
  });

  it('throw nothing else where members are of other kinds, shapes lie, and numbers are none', () => {
    const odd = fc.jsonValue({ maxDepth: 3 });
    const size = fc.oneof(fc.integer({ min: -2, max: 9 }), fc.constantFrom(2 ** 31, 1.5, null));
    const tensor = fc.record({
      ...{ name: odd, datatype: odd, shape: fc.oneof(fc.array(size, { maxLength: 4 }), odd) },
      data: fc.oneof(fc.array(fc.oneof(fc.double(), odd), { maxLength: 12 }), odd),
    });
    const body = fc.record(
      { inputs: fc.array(tensor), outputs: fc.array(tensor), instances: odd, predictions: odd, error: odd },
      { requiredKeys: [] },
    );
    const given = fc.record({
      type: fc.constantFrom(
        'org.kubeflow.serving.inference.request',
        'org.kubeflow.serving.inference.response',
        'io.seldon.serving.inference.response',
      ),
      ...{ id: fc.constantFrom('a', 'b', 1, null), time: fc.constantFrom('2026-11-22T09:30:12Z', 'soon', 7) },
      ...{ data: fc.oneof(body, odd), inferenceservicename: fc.oneof(fc.constant('signs'), odd) },
    });
    fc.assert(
      fc.property(fc.array(given, { maxLength: 6 }), (all) => {
        const events = openInferenceEvents('m');
        for (const each of all) isSound(() => events.read(JSON.stringify(each)));
      }),
    );
    const mapped = fc.record({
      ...{
        start_time: fc.oneof(fc.constant(AT), odd),
        path: fc.oneof(fc.webPath(), fc.constant('/v2/models/%/infer'), odd),
      },
      ...{ response_code: odd, duration: odd, x_forwarded_for: odd, request_id: odd },
    });
    fc.assert(
      fc.property(mapped, (line) => {
        isSound(() => mappedLine(KNOWN['envoy-json'], undefined)(JSON.stringify(line), 1));
      }),
    );
  });

  it('hold arrays in arrays without end for no numbers', () => {
    const nested = `${'['.repeat(200_000)}1${']'.repeat(200_000)}`;
    const tensor = `{"name":"x","datatype":"FP32","shape":[1,1],"data":${nested}}`;
    const read = (type: string, data: string) =>
      openInferenceEvents('m').read(
        `{"type":"org.kubeflow.serving.inference.${type}","id":"a","time":"2026-11-22T09:30:12Z","data":${data}}`,
      );
    for (const data of [`{"instances":${nested}}`, `{"inputs":[${tensor}]}`])
      expect(read('request', data)).toBeUndefined();
    for (const data of [`{"predictions":${nested}}`, `{"outputs":[${tensor}]}`])
      expect(() => read('response', data)).toThrow('expected a row of scores');
  });

  it('take no longer than their length, however their quotes nest', () => {
    const long = `1.1.1.1 - - [22/Nov/2026:09:30:12 +0000] "POST ${'\\"a '.repeat(20_000)}" 200 1 "${'\\\\"'.repeat(20_000)}`;
    const started = performance.now();
    for (const look of readers('m')) isSound(() => look(long, 1));
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

it('latencies are rounded up as the gateway does, and all formats are there', () => {
  expect([0, 1, 1.2, 3, 10, 11, 49, 99, 1e9].map(bucketOf)).toEqual([1, 1, 2, 5, 10, 20, 50, 100, 1e7]);
  expect(FORMATS).toEqual(['kserve-cloudevents', 'nginx', 'envoy', 'envoy-json', 'triton-trace']);
});
