import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { silent } from '../../core/progress.ts';
import { randomFrom } from '../../core/random.ts';
import { writeNpy } from '../../data/index.ts';
import { renderTimingText } from '../../report/timing/text.ts';
import { attackTiming, type TimingAttackOptions } from './attack-timing.ts';
import { measure, type TimedAnswer } from './measure.ts';
import { contentFrom, type PreparedQuery } from './queries.ts';
import { timingFromJson, timingToJson } from './result.ts';

const query = (url: string): PreparedQuery => ({ url, headers: {}, body: new Uint8Array(1) });

describe('measuring', () => {
  const run = (
    send: (query: PreparedQuery) => Promise<TimedAnswer>,
    over: { readonly pairs?: number; readonly rate?: number; readonly signal?: AbortSignal } = {},
  ) => {
    let now = 0;
    const slept: number[] = [];
    const done = measure({
      a: [query('a')],
      b: [query('b')],
      pairs: 50,
      warmup: 6,
      rate: 100,
      rng: randomFrom(1, 'measure'),
      clock: () => now,
      sleep: async (milliseconds) => {
        slept.push(milliseconds);
        now += milliseconds;
      },
      signal: new AbortController().signal,
      progress: silent,
      ...over,
      send: async (asked) => {
        now += 1;
        return send(asked);
      },
    });
    return { done, clock: () => now, slept };
  };

  it('asks in pairs, which one first by chance, and keeps what came from whom', async () => {
    const order: string[] = [];
    const { done } = run(async ({ url }) => {
      order.push(url);
      return { time: url === 'a' ? 1 : 2, status: url === 'a' ? 200 : 404, length: 5 };
    });
    const { times, statuses, counts } = await done;
    expect([...new Set(times.a), ...new Set(times.b)]).toEqual([1, 2]);
    expect([...new Set(statuses.b)]).toEqual([404]);
    expect(counts).toEqual({ 200: 50, 404: 50 });
    const pairs = Array.from({ length: order.length / 2 }, (_, i) => order[2 * i]! + order[2 * i + 1]!);
    expect(pairs).toHaveLength(53);
    expect(new Set(pairs)).toEqual(new Set(['ab', 'ba']));
  });

  it('asks no more often than it may', async () => {
    const { done, clock } = run(async () => ({ time: 1, status: 200, length: 1 }), { rate: 10 });
    await done;
    // 106 questions at 10 a second
    expect(clock()).toBeGreaterThan(10_000);
  });

  it('asks a pair again that was not answered, and gives up after 20 in a row', async () => {
    let n = 0;
    const flaky = run(async () => {
      if (++n % 9 === 0) throw new Error('reset');
      return { time: 1, status: 200, length: 1 };
    });
    expect((await flaky.done).failures).toBeGreaterThan(3);
    const dead = run(async () => {
      throw new Error('refused');
    });
    await expect(dead.done).rejects.toMatchObject({ code: 'endpoint/unavailable' });
  });

  it('asks no query twice before all have been asked', async () => {
    const asked: string[] = [];
    const queries = Array.from({ length: 50 }, (_, i) => query(`a${i}`));
    await measure({
      a: queries,
      b: [query('b')],
      pairs: 44,
      warmup: 12,
      rate: 1e6,
      rng: randomFrom(1, 'measure'),
      clock: () => 0,
      sleep: async () => {},
      signal: new AbortController().signal,
      progress: silent,
      send: async ({ url }) => {
        asked.push(url);
        return { time: 1, status: 200, length: 1 };
      },
    });
    const ofA = asked.filter((url) => url !== 'b');
    expect(ofA).toHaveLength(50);
    expect(new Set(ofA).size).toBe(50);
  });

  it('stops when it is told to', async () => {
    const controller = new AbortController();
    const { done } = run(
      async () => {
        controller.abort();
        return { time: 1, status: 200, length: 1 };
      },
      { signal: controller.signal },
    );
    await expect(done).rejects.toMatchObject({ code: 'run/cancelled' });
  });
});

describe('classes of queries', () => {
  it('are read from text', () => {
    expect(contentFrom('data:a,b.gz')).toEqual({ kind: 'data', path: 'a,b.gz' });
    expect(contentFrom('same:x')).toEqual({ kind: 'same', path: 'x' });
    for (const text of ['', 'data:', 'noise', 'file:x'])
      expect(() => contentFrom(text)).toThrow('expected zeros');
  });
});

let server: Server | undefined;
afterEach(
  () => new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve()))),
);

/** An endpoint that takes as long, and says as much, as it is told per request. */
async function endpoint(
  answer: (
    body: Buffer,
    path: string,
  ) => { readonly wait: number; readonly text: string; readonly status?: number },
) {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.method === 'GET') {
        if (!request.url!.endsWith('/m')) response.statusCode = 404;
        const inputs = [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }];
        const outputs = [{ name: 'y', datatype: 'FP32', shape: [-1, 2] }];
        response.end(JSON.stringify({ name: 'm', platform: 'p', inputs, outputs }));
        return;
      }
      const { wait, text, status = 200 } = answer(Buffer.concat(chunks), request.url ?? '');
      const send = () => {
        response.statusCode = status;
        response.end(text);
      };
      if (wait > 0) setTimeout(send, wait);
      else send();
    });
  });
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2/models/m`;
}

describe('attack timing', () => {
  const attack = (url: string, over: Partial<TimingAttackOptions> = {}) =>
    attackTiming({
      url,
      a: 'zeros',
      b: 'random',
      pairs: 60,
      rate: 100_000,
      seed: 0,
      timeout: 5000,
      signal: new AbortController().signal,
      progress: silent,
      say: () => {},
      command: 'glacis attack timing',
      ...over,
    });
  const isZero = (body: Buffer) => body.subarray(-16).every((byte) => byte === 0);

  it('finds a planted delay, writes and reads its result, and shows it', async () => {
    const url = await endpoint((body) => ({ wait: isZero(body) ? 0 : 20, text: '{}' }));
    const result = await attack(url);
    expect(result.analysis.verdict).toBe('leak');
    expect(result.analysis.guessing.auc).toBeGreaterThan(0.7);
    expect(result.analysis.ranks.median).toBeGreaterThan(5);
    expect(timingFromJson(timingToJson(result), 'here')).toEqual(JSON.parse(timingToJson(result)));
    const text = renderTimingText(result, { before: result });
    expect(text).toContain('Leak: the answers tell the classes apart');
    expect(text).toMatch(/before +now/);
  });

  it('abuse 20: finds that a model which may not be used answers otherwise', async () => {
    const url = await endpoint((_, path) =>
      path.startsWith('/v2/models/m/')
        ? { wait: 0, text: '{}' }
        : { wait: 0, text: '{"error":"no"}', status: 404 },
    );
    const { analysis, urlB } = await attack(url, { urlB: url.replace(/m$/, 'none'), b: 'zeros' });
    expect(urlB).toMatch(/none$/);
    expect(analysis.verdict).toBe('leak');
    expect(analysis.because.join()).toContain('statuses');
  });

  it('abuse 20: compares two models that may not be asked what they take, with the inputs of one that may', async () => {
    const url = await endpoint((_, path) => ({
      ...{ wait: path.includes('/forbidden/') ? 15 : 0, text: '{"error":"no"}', status: 404 },
    }));
    const [forbidden, none] = ['forbidden', 'none'].map((name) => url.replace(/m$/, name));
    const same = { a: 'random', urlB: none };
    await expect(attack(forbidden!, same)).rejects.toThrow(/status 404; --described-by names a model/);
    expect((await attack(forbidden!, { ...same, describedBy: url })).analysis.verdict).toBe('leak');
    const elsewhere = { ...same, describedBy: 'http://127.0.0.1:9/v2/models/m' };
    await expect(attack(forbidden!, elsewhere)).rejects.toThrow(/expected a model of the same server/);
  });

  it('abuse 24: finds that the same input is answered faster the second time', async () => {
    const seen = new Set<string>();
    const url = await endpoint((body) => {
      const key = body.toString('base64');
      const isKnown = seen.has(key);
      if (seen.size < 100_000 && isZero(body)) seen.add(key);
      return { wait: isKnown ? 0 : 20, text: '{}' };
    });
    expect((await attack(url)).analysis.verdict).toBe('leak');
  });

  it('says when it measured a limit and not the model, or too little', async () => {
    const url = await endpoint(() => ({ wait: 0, text: '{}', status: 429 }));
    const { notes } = await attack(url, { pairs: 20 });
    expect(notes.join()).toContain('a limit was measured');
    expect(notes.join()).toContain('fewer than 10000 pairs');
    expect(notes.join()).toContain('no query was answered');
  });

  it('keeps credentials out of the result', async () => {
    const url = await endpoint(() => ({ wait: 0, text: '{}' }));
    const result = await attack(url.replace('http://', 'http://ann:hunter22@'), { pairs: 20 });
    expect(timingToJson(result)).not.toContain('hunter22');
    expect(result.url).toBe(url);
  });

  it('shows or refuses a result in which anything is missing, and never crashes on it', async () => {
    const url = await endpoint(() => ({ wait: 0, text: '{}' }));
    const result = await attack(url, { pairs: 20 });
    const parts: readonly (readonly string[])[] = Object.entries(result.analysis).flatMap(([key, value]) => [
      [key],
      ...(typeof value === 'object' && !Array.isArray(value)
        ? Object.keys(value).map((inner) => [key, inner])
        : []),
    ]);
    let refused = 0;
    for (const [key, inner] of parts) {
      const copy = JSON.parse(timingToJson(result));
      if (inner === undefined) delete copy.analysis[key!];
      else delete copy.analysis[key!][inner];
      try {
        renderTimingText(result, { before: timingFromJson(JSON.stringify(copy), 'x') });
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: 'result/invalid' });
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(15);
  });

  it('says that samples were asked more than once', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'glacis-timing-'));
    const path = join(folder, 'x.npy');
    await writeNpy(path, { data: Float32Array.from({ length: 12 }, (_, i) => i / 12), shape: [3, 4] });
    const url = await endpoint(() => ({ wait: 0, text: '{}' }));
    const { notes } = await attack(url, { a: `data:${path}`, pairs: 21 });
    rmSync(folder, { recursive: true });
    expect(notes.join()).toContain('class a has 3 samples, each asked about 7 times');
  });

  it('refuses results that are none', () => {
    for (const text of ['', '{}', '[]', 'null', '{"schema":"glacis.timing/1"}'])
      expect(() => timingFromJson(text, 'x')).toThrow(/expected (JSON|a result)/);
  });
});
