import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { REFUSALS } from '../refusal.ts';
import { SOUND, soundMessage, startFaces } from './faces.fixture.ts';

/** Abuse cases by the numbers of the list that the gateway is held to: names, verbs and what errors say. */
let at: Awaited<ReturnType<typeof startFaces>>;
beforeAll(async () => {
  at = await startFaces();
});
beforeEach(() => {
  at.seen.questions.length = 0;
  at.seen.looked.length = 0;
  at.seen.malformed.length = 0;
});
afterAll(() => at.stop());

/** A request as it is, without a client that tidies its path. */
const sent = (method: string, path: string, body = '') =>
  at.raw(
    `${method} ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  );
const untouched = (): void => {
  expect([at.seen.questions.length, at.seen.looked.length]).toEqual([0, 0]);
};

const NAMES = [
  '..',
  '.',
  '%2e%2e',
  '%2e%2e%2fsecret',
  '%252e%252e',
  '..%2f..%2fetc',
  '..%5c..',
  'a%5cb',
  'a%00b',
  'a%0d%0ab',
  'a%09b',
  'a%20b',
  '%EF%BC%8E%EF%BC%8E',
  '%E2%80%A5',
  '%C0%AE%C0%AE',
  'e%CC%81cho',
  '%ff',
  'a%2fversions%2f1',
  '-echo',
  '~echo',
  'a;b',
  'x'.repeat(129),
  'x'.repeat(400),
];
describe('16: names that no model has', () => {
  it.each(NAMES)('%s', async (name) => {
    for (const [method, rest, body] of [
      ['POST', '/infer', JSON.stringify(SOUND)],
      ['GET', '', ''],
      ['GET', '/ready', ''],
      ['GET', '/versions/1', ''],
    ] as const) {
      const said = await sent(method, `/v2/models/${name}${rest}`, body);
      expect(said).toMatch(/^HTTP\/1.1 404 /);
      expect(said).toContain(JSON.stringify({ error: REFUSALS.unknown.message }));
    }
    untouched();
  });
  it.each(['..', '%2e%2e', '1%2f..', '1%00', ' ', '%20', '-1'])('version %s', async (version) => {
    const said = await sent(
      'POST',
      `/v2/models/echo/versions/${encodeURI(version)}/infer`,
      JSON.stringify(SOUND),
    );
    expect(said).toMatch(/^HTTP\/1.1 404 /);
    untouched();
  });
  it.each([
    '/v2/models/echo/versions/../../secret/infer',
    '/v2/models/../models/echo/infer',
    '/v2//models/echo/infer',
    '//v2/models/echo/infer',
    '/v2/models/echo/infer/',
    '/v2/models/echo//infer',
    '/V2/models/echo/infer',
    '/v2/models/echo/infer%20',
    '/v2/models/echo%2finfer',
    '/v2/models/%',
    '/v2/models/%zz/infer',
    '/%2e%2e/v2/models/echo/infer',
    '\\v2\\models\\echo\\infer',
    '/v2/models//infer',
    '/v2/models/echo/versions//infer',
  ])('path %s', async (path) => {
    const said = await sent('POST', path, JSON.stringify(SOUND));
    expect(said).toMatch(/^HTTP\/1.1 40[04] /);
    expect(said).toMatch(/\{"error":"[a-z ]+"\}$/);
    untouched();
  });
  it('over gRPC', async () => {
    for (const name of ['..', 'a/b', 'a\\b', 'größe', 'a b', '-a', 'x'.repeat(129), '']) {
      const called = await at.call('ModelInfer', soundMessage(undefined, name));
      expect([called.code, called.text]).toEqual([5, REFUSALS.unknown.message]);
    }
    untouched();
  });
  it('an address of another host is answered by this one, as HTTP has it', async () => {
    const body = JSON.stringify(SOUND);
    const said = await sent('POST', 'http://evil.example/v2/models/echo/infer', body);
    expect(said).toMatch(/^HTTP\/1.1 200 /);
    expect(await sent('POST', 'http://evil.example/v2/models/../infer', body)).toMatch(/^HTTP\/1.1 404 /);
  });
});

describe('17: verbs of management do not exist', () => {
  it.each([
    ['POST', '/v2/repository/index'],
    ['POST', '/v2/repository/models/echo/load'],
    ['POST', '/v2/repository/models/echo/unload'],
    ['GET', '/v2/systemsharedmemory/status'],
    ['POST', '/v2/systemsharedmemory/region/a/register'],
    ['POST', '/v2/systemsharedmemory/unregister'],
    ['POST', '/v2/cudasharedmemory/region/a/register'],
    ['GET', '/v2/trace/setting'],
    ['POST', '/v2/trace/setting'],
    ['POST', '/v2/models/echo/trace/setting'],
    ['GET', '/v2/logging'],
    ['POST', '/v2/logging'],
    ['GET', '/v2/models/echo/stats'],
    ['GET', '/v2/models/echo/config'],
    ['POST', '/v2/models/echo/generate'],
    ['POST', '/v2/models/echo/generate_stream'],
    ['POST', '/v2/models/echo/infer_stream'],
    ['GET', '/v2/models'],
    ['GET', '/metrics'],
    ['GET', '/'],
    ['GET', '/health'],
    ['GET', '/favicon.ico'],
    ['PUT', '/v2/models/echo'],
    ['DELETE', '/v2/models/echo'],
    ['GET', '/v2/models/echo/infer'],
    ['POST', '/v2/models/echo'],
    ['OPTIONS', '/v2/models/echo/infer'],
    ['HEAD', '/v2/models/echo'],
    ['PATCH', '/v2'],
    ['TRACE', '/v2'],
    ['PROPFIND', '/v2'],
  ])('%s %s', async (method, path) => {
    const said = await sent(method, path, method === 'POST' ? '{}' : '');
    expect(said).toMatch(/^HTTP\/1.1 404 /);
    if (method !== 'HEAD') expect(said).toContain(JSON.stringify({ error: REFUSALS.unknown.message }));
    expect(at.seen.malformed.at(-1)?.what.refusal).toBe('unknown');
    untouched();
  });
  it('statistics of all models are a model that does not exist', async () => {
    expect(await sent('GET', '/v2/models/stats')).toMatch(/^HTTP\/1.1 404 /);
  });
  it.each([
    'RepositoryIndex',
    'RepositoryModelLoad',
    'RepositoryModelUnload',
    'SystemSharedMemoryStatus',
    'SystemSharedMemoryRegister',
    'CudaSharedMemoryRegister',
    'TraceSetting',
    'LogSettings',
    'ModelStatistics',
    'ModelConfig',
    'ModelStreamInfer',
    'modelInfer',
    'ModelInfer/',
  ])('gRPC %s', async (verb) => {
    const called = await at.call(`/inference.GRPCInferenceService/${verb}`, Buffer.alloc(0));
    expect([called.code, called.text]).toEqual([12, REFUSALS.unknown.message]);
    expect(at.seen.malformed.at(-1)?.what.refusal).toBe('unknown');
    untouched();
  });
  it.each([
    '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
    '/grpc.channelz.v1.Channelz/GetServers',
    '/inference.GRPCInferenceServic/ModelInfer',
    '/__proto__',
    '/',
  ])('gRPC %s', async (path) => {
    const called = await at.call(path, Buffer.alloc(0));
    expect([called.code, called.text]).toEqual([12, REFUSALS.unknown.message]);
  });
});

describe('19: what errors say', () => {
  it('is from the catalogue where something breaks inside', async () => {
    const answer = await at.ask(SOUND, {}, '/v2/models/broken/infer');
    expect([answer.status, await answer.text()]).toEqual([
      500,
      JSON.stringify({ error: REFUSALS.failed.message }),
    ]);
    expect(at.seen.malformed.at(-1)?.what).toMatchObject({
      refusal: 'failed',
      because: '/secret/path: boom',
    });
    const called = await at.call('ModelInfer', soundMessage(undefined, 'broken'));
    expect([called.code, called.text]).toEqual([13, REFUSALS.failed.message]);
    expect(JSON.stringify(called.headers)).not.toMatch(/secret|boom/);
  });
  it('never quotes the request', async () => {
    const canary = 'c4n4ry';
    for (const [body, headers, path] of [
      [`{"inputs": ${canary}`, {}, '/v2/models/echo/infer'],
      [{ inputs: [{ name: canary, datatype: canary, shape: [1], data: [1] }] }, {}, '/v2/models/echo/infer'],
      [SOUND, { 'content-type': canary }, '/v2/models/echo/infer'],
      [SOUND, { 'content-encoding': canary }, '/v2/models/echo/infer'],
      [SOUND, {}, `/v2/models/${canary}/infer`],
      [SOUND, {}, `/${canary}?${canary}`],
    ] as const) {
      const answer = await at.ask(body as object, headers as Record<string, string>, path);
      const said = `${await answer.text()}${JSON.stringify([...answer.headers])}`;
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(said).not.toContain(canary);
    }
    const called = await at.call(`/x/${canary}`, Buffer.alloc(0), { headers: { 'grpc-timeout': canary } });
    expect(JSON.stringify([called.headers, called.text])).not.toContain(canary);
  });
  it('is one line for what is no HTTP at all', async () => {
    for (const text of [
      '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
      'nonsense\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      'GET /v2 HTTP/1.1\r\n\r\n',
      'GET /v2 HTTP/1.1\r\nhost: x\r\nbad header: y\r\n\r\n',
      'GET /v2 HTTP/1.1\r\nhost: x\r\n x: folded\r\n\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    ]) {
      const said = await at.raw(text);
      expect(said).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
      expect(said).not.toMatch(/HPE_|Parse|node|Error:/i);
    }
  });
  it('and nothing that is echoed breaks a header', async () => {
    const answer = await at.ask({ ...SOUND, id: 'é"\\<script>' });
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(await answer.json()).toMatchObject({ id: 'é"\\<script>' });
  });
});
