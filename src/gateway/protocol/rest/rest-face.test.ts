import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { decodeInferResponse, encodeInferRequest } from '../../../oip/index.ts';
import { REFUSALS } from '../../refusal.ts';
import { SOON, SOUND, startFaces } from '../faces.fixture.ts';
import { DOCS_POLICY } from './docs-page.ts';

let at: Awaited<ReturnType<typeof startFaces>>;
beforeAll(async () => {
  at = await startFaces();
});
beforeEach(() => {
  at.seen.questions.length = 0;
  at.seen.malformed.length = 0;
});
afterAll(() => at.stop());
const get = (path: string) => fetch(`${at.rest}${path}`);

describe('what anybody may ask', () => {
  it('says that it lives and is ready', async () => {
    expect(await (await get('/v2/health/live')).json()).toEqual({ live: true });
    expect(await (await get('/v2/health/ready')).json()).toEqual({ ready: true });
  });

  it('says 503 where it is not ready', async () => {
    const other = await startFaces({}, { isReady: () => false });
    const answer = await fetch(`${other.rest}/v2/health/ready`);
    expect([answer.status, await answer.json()]).toEqual([503, { ready: false }]);
    await other.stop();
  });

  it('says what it is, without a release', async () => {
    const answer = await get('/v2');
    expect(await answer.json()).toEqual({ name: 'glacis', version: '2', extensions: ['binary_tensor_data'] });
    expect(answer.headers.get('server')).toBeNull();
    expect(answer.headers.get('x-powered-by')).toBeNull();
  });

  it('describes itself with the calls that it has, and no others', async () => {
    const document = (await (await get('/v2/openapi.json')).json()) as { paths: Record<string, object> };
    expect(Object.keys(document.paths).sort()).toEqual([
      '/v2',
      '/v2/docs',
      '/v2/health/live',
      '/v2/health/ready',
      '/v2/models/{model}',
      '/v2/models/{model}/infer',
      '/v2/models/{model}/ready',
      '/v2/models/{model}/versions/{version}',
      '/v2/models/{model}/versions/{version}/infer',
      '/v2/models/{model}/versions/{version}/ready',
      '/v2/openapi.json',
    ]);
    const text = JSON.stringify(document);
    const { components } = document as unknown as { components: { schemas: object } };
    for (const [, name] of text.matchAll(/#\/components\/schemas\/(\w+)/g))
      expect(Object.keys(components.schemas)).toContain(name);
    const page = await get('/v2/docs');
    const html = await page.text();
    expect(page.headers.get('content-security-policy')).toBe(DOCS_POLICY);
    expect(html).not.toMatch(/<script|https?:\/\/(?!127\.0\.0\.1)/);
    for (const { message } of Object.values(REFUSALS)) expect(html).toContain(message.replace("'", '&#39;'));
  });
});

describe('models', () => {
  it('describes one, with and without a version', async () => {
    for (const path of ['/v2/models/echo', '/v2/models/echo/versions/1']) {
      const answer = await get(path);
      expect(await answer.json()).toMatchObject({ name: 'echo', versions: ['1', '2'], platform: 'onnx' });
    }
    expect(at.seen.looked.at(-1)).toMatchObject({ model: 'echo', version: '1' });
  });

  it('says whether one is ready', async () => {
    expect(await (await get('/v2/models/echo/ready')).json()).toEqual({ name: 'echo', ready: true });
    expect((await get('/v2/models/echo/versions/1/ready')).status).toBe(200);
    const unknown = await get('/v2/models/other/ready');
    expect([unknown.status, await unknown.json()]).toEqual([404, { error: REFUSALS.unknown.message }]);
  });
});

describe('questions', () => {
  it('are answered in JSON, with the id and the decision', async () => {
    const answer = await at.ask(SOUND);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.headers.get('glacis-decision')).toMatch(/^[0-9a-f]{32}$/);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    const { id, inputs: outputs } = SOUND;
    expect(await answer.json()).toEqual({ model_name: 'echo', model_version: '2', id, outputs });
  });

  it('hand over what the connection shows', async () => {
    await at.ask(SOUND, { authorization: 'Bearer k' }, '/v2/models/echo/versions/1/infer');
    const [question] = at.seen.questions;
    expect(question).toMatchObject({
      model: 'echo',
      version: '1',
      bytes: JSON.stringify(SOUND).length,
      wantsReceipt: false,
      caller: { address: '127.0.0.1', authorization: 'Bearer k', certificate: undefined },
    });
    expect(Math.abs(performance.now() - question!.arrived)).toBeLessThan(60_000);
  });

  const tensor = {
    name: 'x',
    datatype: 'FP32',
    shape: [1, 2],
    data: Float32Array.of(0.5, Number.NaN),
  } as const;
  const binary = (outputs: boolean) =>
    encodeInferRequest({ inputs: [tensor], binaryOutput: outputs, id: 'b' }, { binary: true });

  it('are read and answered in binary form', async () => {
    const { body, headers } = binary(true);
    const answer = await at.ask(body, headers);
    const response = decodeInferResponse(
      {
        body: new Uint8Array(await answer.arrayBuffer()),
        jsonLength: answer.headers.get('inference-header-content-length'),
      },
      'x',
    );
    expect(response.outputs[0]!.data).toEqual(tensor.data);
    expect(response.id).toBe('b');
  });

  it('whose answer JSON cannot carry have it in binary form all the same', async () => {
    const { body, headers } = binary(false);
    const answer = await at.ask(body, headers);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('inference-header-content-length')).not.toBeNull();
  });

  it.each([
    ['gzip', gzipSync, gunzipSync],
    ['deflate', deflateSync, inflateSync],
  ] as const)('come and go in %s', async (encoding, squeeze, stretch) => {
    const long = { ...SOUND, inputs: [{ ...SOUND.inputs[0], shape: [1, 600], data: Array(600).fill(0.25) }] };
    const bytes = JSON.stringify(long);
    const answer = await at.ask(squeeze(bytes), {
      'content-encoding': encoding,
      'accept-encoding': encoding,
    });
    expect(answer.headers.get('content-encoding')).toBe(encoding);
    expect(answer.headers.get('vary')).toBe('accept-encoding');
    // The client inflates by itself; so does this.
    expect(await answer.json()).toMatchObject({ outputs: [{ shape: [1, 600] }] });
    expect(at.seen.questions[0]!.bytes).toBe(bytes.length);
    expect(stretch(squeeze(bytes)).toString()).toBe(bytes);
  });

  it('are answered as they are where compression is off or not asked for', async () => {
    const long = { inputs: [{ name: 'x', datatype: 'UINT8', shape: [2000], data: Array(2000).fill(7) }] };
    const plain = await at.ask(long, { 'accept-encoding': 'gzip;q=0, br' });
    expect(plain.headers.get('content-encoding')).toBeNull();
    const other = await startFaces({ compression: false });
    const answer = await other.ask(long, { 'accept-encoding': 'gzip' });
    expect(answer.headers.get('content-encoding')).toBeNull();
    await other.stop();
  });

  it('may ask for a receipt by header or by parameter, which comes as a parameter with the decision', async () => {
    const byHeader = await at.ask(SOUND, { 'glacis-receipt': '1' });
    const { parameters } = (await byHeader.json()) as { parameters: Record<string, string> };
    expect(parameters).toEqual({
      'glacis-decision': byHeader.headers.get('glacis-decision'),
      'glacis-receipt': 'c2sp.org/tlog-proof@v1\nindex 7\n',
    });
    const byParameter = await at.ask({ ...SOUND, parameters: { 'glacis-receipt': true, other: 1 } });
    expect(((await byParameter.json()) as { parameters: object }).parameters).toHaveProperty(
      'glacis-receipt',
    );
    expect(at.seen.questions.at(-1)!.request.parameters).toEqual({ other: 1 });
    const refused = await at.ask(SOUND, { 'glacis-receipt': '1' }, '/v2/models/refuse-held/infer');
    expect(await refused.json()).toEqual({
      error: REFUSALS.held.message,
      id: 'q-1',
      'glacis-receipt': 'c2sp.org/tlog-proof@v1\nindex 7\n',
    });
    const unclear = await at.ask(SOUND, { 'glacis-receipt': 'perhaps' });
    expect(unclear.status).toBe(400);
  });

  it.each(Object.entries(REFUSALS))(
    'that are refused as %s say so, and nothing else',
    async (name, refusal) => {
      const answer = await at.ask(SOUND, {}, `/v2/models/refuse-${name}/infer`);
      expect([answer.status, await answer.json()]).toEqual([
        refusal.status,
        { error: refusal.message, id: 'q-1' },
      ]);
      expect(answer.headers.get('retry-after')).toBe(name === 'throttled' ? '2' : null);
      expect(answer.headers.get('www-authenticate')).toBe(name === 'unauthenticated' ? 'Bearer' : null);
      expect(answer.headers.get('glacis-decision')).toMatch(/^[0-9a-f]{32}$/);
    },
  );

  it('with much JSON are read in a thread, and are the same', async () => {
    const data = Array.from({ length: 40_000 }, (_, i) => i / 8);
    const answer = await at.ask({ inputs: [{ name: 'x', datatype: 'FP32', shape: [40_000], data }] });
    expect(((await answer.json()) as { outputs: { data: number[] }[] }).outputs[0]!.data).toEqual(data);
    const bad = await at.ask({ inputs: [{ name: 'x', datatype: 'FP32', shape: [40_001], data }] });
    expect(bad.status).toBe(400);
    expect(at.seen.malformed.at(-1)!.what.because).toMatch(/40001 elements/);
  });

  it('whose caller leaves are told so', async () => {
    const gone = new AbortController();
    const asked = at.ask(SOUND, {}, '/v2/models/late/infer').catch(() => 'gone');
    const leaving = fetch(`${at.rest}/v2/models/late/infer`, {
      method: 'POST',
      body: JSON.stringify(SOUND),
      headers: { 'content-type': 'application/json' },
      signal: gone.signal,
    }).catch(() => 'gone');
    await expect.poll(() => at.seen.questions.length, SOON).toBe(2);
    gone.abort();
    expect(await leaving).toBe('gone');
    await expect.poll(() => at.seen.questions.filter(({ signal }) => signal.aborted).length, SOON).toBe(1);
    await at.stop();
    expect(await asked).toBe('gone');
    at = await startFaces();
  });
});
