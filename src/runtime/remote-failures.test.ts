import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { GARBAGE, type Garbage } from '../../test/oip/garbage.ts';
import { LINEAR, linearSamples, linearScores } from '../../test/oip/linear.ts';
import { type Faults, type OipServer, type ServerOptions, startServer } from '../../test/oip/server.ts';
import { GlacisError } from '../core/error.ts';
import { randomFrom } from '../core/random.ts';
import { openRemote, type RemoteOptions } from './index.ts';

const servers: OipServer[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function serve(options: ServerOptions = {}): Promise<OipServer> {
  const server = await startServer(LINEAR, options);
  servers.push(server);
  return server;
}

/** A clock that waits move on, what was waited for, and what was said. */
function clock() {
  let time = Date.UTC(2030, 0, 1);
  const waits: number[] = [];
  const said: string[] = [];
  return {
    waits,
    said,
    options: {
      now: () => time,
      sleep: async (ms: number) => {
        waits.push(ms);
        time += ms;
      },
      say: (text: string) => said.push(text),
    } satisfies RemoteOptions,
  };
}

/** An open endpoint that works, to be broken afterwards. */
async function opened(options: RemoteOptions = {}, how: ServerOptions = {}) {
  const server = await serve(how);
  const time = clock();
  const oracle = await openRemote(server.url, { ...time.options, ...options });
  return { server, oracle, ...time };
}

const error = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });
const samples = linearSamples(40);
const scores = linearScores(samples, 40);

describe('an endpoint that throttles', () => {
  it.each([429, 503])('is asked again after the seconds that it names (%i)', async (status) => {
    const { server, oracle, waits, said } = await opened({ batch: 10, parallel: 1 });
    server.faults.throttle = { every: 2, status, retryAfter: '7' };
    expect(await oracle.ask(samples, 40)).toEqual(scores);
    // Questions 2, 4, 6 and 8 of 8 and the opening one were refused.
    expect(waits).toEqual([7000, 7000, 7000, 7000]);
    expect(said).toEqual(Array(4).fill(`${server.url}: told to wait (${status}); goes on in 7 s`));
    expect(oracle.traffic).toMatchObject({ repeated: 4, answered: 40, rows: 81 });
  });

  it('is asked again at the time that it names', async () => {
    const { server, oracle, waits } = await opened();
    // The server's own Date says how long that is.
    server.faults.throttle = { every: 2, retryAfter: new Date(Date.now() + 90_000).toUTCString() };
    expect(await oracle.ask(samples, 1)).toEqual(scores.subarray(0, 3));
    expect(waits).toHaveLength(1);
    expect(waits[0]).toBeGreaterThan(85_000);
    expect(waits[0]).toBeLessThanOrEqual(90_000);
  });

  it('makes all requests wait, and says so once', async () => {
    let time = 0;
    const sleepers: (() => void)[] = [];
    const { server, oracle, said } = await opened({
      batch: 1,
      parallel: 4,
      now: () => time,
      // Time goes on when all four wait.
      sleep: (ms) =>
        new Promise<void>((resolve) => {
          expect(ms).toBe(2000);
          sleepers.push(resolve);
          if (sleepers.length < 4) return;
          time += ms;
          for (const wake of sleepers) wake();
        }),
    });
    Object.defineProperty(server.faults, 'throttle', {
      get: () => (server.received.questions <= 5 ? { every: 1, retryAfter: '2' } : undefined),
    });
    expect(await oracle.ask(samples, 40)).toEqual(scores);
    expect(sleepers).toHaveLength(4);
    expect(said).toEqual([`${server.url}: told to wait (429); goes on in 2 s`]);
  });

  it('without naming a time is asked again after growing waits', async () => {
    const { server, oracle, waits } = await opened({ rng: randomFrom(1, 'test') });
    server.faults.throttle = { every: 1 };
    await expect(oracle.ask(samples, 1)).rejects.toThrow(
      error('endpoint/unavailable', /got status 429 \(slow down\) 9 times in a row; 0 samples/),
    );
    expect(waits).toHaveLength(8);
    waits.forEach((ms, i) => {
      const full = Math.min(250 * 2 ** i, 15_000);
      expect(ms).toBeGreaterThanOrEqual(full / 2);
      expect(ms).toBeLessThanOrEqual(full);
    });
    // The waits are the seed's.
    const again = await opened({ rng: randomFrom(1, 'test') });
    again.server.faults.throttle = { every: 1 };
    await expect(again.oracle.ask(samples, 1)).rejects.toThrow(GlacisError);
    expect(again.waits).toEqual(waits);
  });

  it('for longer than allowed is the end', async () => {
    const { server, oracle, waits } = await opened({ maxWaitMs: 60_000 });
    server.faults.throttle = { every: 2, retryAfter: '3600' };
    await expect(oracle.ask(samples, 1)).rejects.toThrow(
      error('endpoint/unavailable', /429 \(slow down\) and to wait 3600 s, longer than the 60 s/),
    );
    expect(waits).toEqual([]);
  });
});

describe('an endpoint that breaks off', () => {
  it.each(['before', 'in the middle'] as const)('is asked again (%s the answer)', async (when) => {
    const { server, oracle } = await opened({ batch: 4, parallel: 3 });
    server.faults.drop = { every: 3, when };
    expect(await oracle.ask(samples, 40)).toEqual(scores);
    expect(oracle.traffic.repeated).toBeGreaterThan(3);
  });

  it('for good is named, with how far it went and without credentials', async () => {
    const server = await serve({ token: 's3cret-token' });
    const { options, said } = clock();
    const oracle = await openRemote(server.url, { ...options, token: 's3cret-token', retries: 3 });
    await oracle.ask(samples, 40);
    await server.stop();
    const thrown = await oracle.ask(samples, 1).catch((e: unknown) => e);
    expect(thrown).toEqual(
      error(
        'endpoint/unavailable',
        /^http:\/\/127\.0\.0\.1:\d+\/v2\/models\/model: expected an answer, got ECONNREFUSED \(nothing listens there\) 4 times in a row; 40 samples had been answered$/,
      ),
    );
    expect((thrown as Error).cause).toBeInstanceOf(Error);
    expect(said).toHaveLength(1);
  });

  it('before it was ever reached is given up soon', async () => {
    const server = await serve();
    await server.stop();
    const { options, waits } = clock();
    await expect(openRemote(server.url, options)).rejects.toThrow(
      error('endpoint/unavailable', /ECONNREFUSED \(nothing listens there\) 4 times/),
    );
    expect(waits).toHaveLength(3);
  });

  it.each([
    ['ENOTFOUND', /ENOTFOUND \(no such host\); 0 samples/],
    ['CERT_HAS_EXPIRED', /the certificate is not trusted/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /the certificate is not trusted/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /the certificate is not trusted/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /the certificate is not trusted/],
  ])('for a reason that does not pass is not asked again: %s', async (code, text) => {
    const cause = Object.assign(new Error('failed'), { code });
    const failing = vi.spyOn(globalThis, 'fetch').mockRejectedValue(new TypeError('fetch failed', { cause }));
    try {
      await expect(openRemote('https://h/v2/models/m')).rejects.toThrow(error('endpoint/unavailable', text));
      expect(failing).toHaveBeenCalledTimes(1);
    } finally {
      failing.mockRestore();
    }
  });

  it('comes back after an error of its own', async () => {
    const { server, oracle } = await opened();
    const refuse = { status: 500, text: 'out of memory' };
    Object.defineProperty(server.faults, 'refuse', {
      get: () => (server.received.requests === 3 ? refuse : undefined),
    });
    expect(await oracle.ask(samples, 40)).toEqual(scores);
    expect(oracle.traffic.repeated).toBe(1);
  });

  it('or hangs is left after the time that is allowed', async () => {
    const { server, oracle } = await opened({ timeoutMs: 50, retries: 1 });
    server.faults.hang = true;
    await expect(oracle.ask(samples, 1)).rejects.toThrow(
      error('endpoint/unavailable', /got none within 0.1 s 2 times in a row/),
    );
  });

  it('does not answer the other parts of a question either: they are cancelled', async () => {
    const { server, oracle } = await opened({ batch: 1, parallel: 2, retries: 0 });
    server.faults.drop = { every: 2, when: 'before' };
    await expect(oracle.ask(samples, 40)).rejects.toThrow(
      error('endpoint/unavailable', /UND_ERR_SOCKET|ECONNRESET/),
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(server.received.questions).toBeLessThan(8);
  });
});

describe('cancelling', () => {
  it('ends a request under way', async () => {
    const { server, oracle } = await opened();
    server.faults.hang = true;
    const stop = new AbortController();
    const asked = oracle.ask(samples, 40, stop.signal);
    setTimeout(() => stop.abort(new Error('Ctrl-C')), 20);
    await expect(asked).rejects.toThrow(error('run/cancelled', /cancelled/));
  });

  it('ends a wait', async () => {
    const stop = new AbortController();
    const { setTimeout: sleep } = await import('node:timers/promises');
    const { server, oracle } = await opened({
      now: Date.now,
      sleep: (ms, signal) => {
        setTimeout(() => stop.abort(), 10);
        return sleep(ms, undefined, { signal });
      },
    });
    server.faults.throttle = { every: 1, retryAfter: '60' };
    await expect(oracle.ask(samples, 1, stop.signal)).rejects.toThrow(error('run/cancelled', /cancelled/));
  });

  it('ends the opening', async () => {
    const server = await serve({ faults: { hang: true } });
    await expect(openRemote(server.url, { signal: AbortSignal.timeout(30) })).rejects.toThrow(
      error('run/cancelled', /cancelled/),
    );
  });

  it('is what closing does, and nothing is asked afterwards', async () => {
    const { server, oracle } = await opened();
    server.faults.hang = true;
    const asked = oracle.ask(samples, 1);
    setTimeout(() => oracle.close(), 10);
    await expect(asked).rejects.toThrow(error('run/cancelled', /cancelled/));
    await expect(oracle.ask(samples, 1)).rejects.toThrow(error('run/cancelled', /cancelled/));
  });
});

describe('an answer that is none', () => {
  const message: Readonly<Record<Garbage, RegExp>> = {
    html: /expected JSON, got 20 bytes/,
    empty: /expected JSON, got 0 bytes/,
    'cut json': /expected JSON/,
    'no outputs': /outputs: expected a list, got nothing/,
    'another id': /expected the answer to request \d+, got "another"/,
    'another name': /expected output "y", got "other"/,
    'another shape': /"y": expected \[2, 3\], got \[3, 2\]/,
    'three axes': /\[batch, classes\], got \[2, 1, 3\]/,
    'one row less': /"y": expected \[2, 3\], got \[1, 3\]/,
    'text for numbers': /"y": expected numbers, got BYTES/,
    'null for numbers': /element 0: expected a number that FP32 holds, got null/,
    'NaN in binary': /"y": expected finite numbers, got NaN or an infinity in row 0/,
    'too long': /expected an answer of at most \d+ bytes, got 33554432/,
  };

  it.each(Object.keys(GARBAGE) as Garbage[])('is refused at once: %s', async (garbage) => {
    const { server, oracle, waits } = await opened();
    server.faults.garbage = garbage;
    const code = garbage === 'three axes' ? 'model/unsupported-task' : 'endpoint/bad-answer';
    await expect(oracle.ask(samples, 2)).rejects.toThrow(error(code, message[garbage]));
    expect(waits).toEqual([]);
  });

  it('is not read to its end where it has none', async () => {
    const { server, oracle } = await opened();
    server.faults.garbage = 'endless';
    await expect(oracle.ask(samples, 2)).rejects.toThrow(
      error('endpoint/bad-answer', /at most 6\d{4} bytes, got more/),
    );
  });

  it('is refused when opening, too', async () => {
    const server = await serve({ faults: { garbage: 'html' } });
    await expect(openRemote(server.url)).rejects.toThrow(error('endpoint/bad-answer', /expected JSON/));
  });

  it('never gets through, whatever comes in its place', async () => {
    const { server, oracle } = await opened({ retries: 0 });
    const kinds = fc.record<Faults>({
      garbage: fc.constantFrom(undefined, ...(Object.keys(GARBAGE) as Garbage[])),
      refuse: fc.option(
        fc.record({ status: fc.constantFrom(200, 204, 400, 404, 413, 418, 500), text: fc.string() }),
        { nil: undefined },
      ),
    });
    await fc.assert(
      // Three samples and three classes: rows and columns could be swapped unseen.
      fc.asyncProperty(kinds, fc.integer({ min: 1, max: 2 }), async (faults, n) => {
        Object.assign(server.faults, faults);
        const answer = await oracle.ask(samples, n).catch((thrown: unknown) => thrown);
        if (faults.garbage === undefined && faults.refuse === undefined)
          expect(answer).toEqual(scores.subarray(0, 3 * n));
        else expect(answer).toBeInstanceOf(GlacisError);
      }),
      { numRuns: 80 },
    );
  });
});

describe('a refusal', () => {
  it('says what the endpoint said', async () => {
    const { server, oracle } = await opened();
    server.faults.refuse = { status: 418, text: 'I am\na \u001b[31mteapot' };
    await expect(oracle.ask(samples, 1)).rejects.toThrow(
      error('endpoint/unavailable', /got status 418 \(I am a \[31mteapot\); 0 samples had been answered$/),
    );
  });

  it('tells where the token belongs', async () => {
    const server = await serve({ token: 'right' });
    await expect(openRemote(server.url, { token: 'wrong-token' })).rejects.toThrow(
      error(
        'endpoint/unavailable',
        /status 401 \(not authorised\); the token belongs into GLACIS_ENDPOINT_TOKEN/,
      ),
    );
  });

  it('tells that there is no such model', async () => {
    const server = await serve();
    await expect(openRemote(`${server.url}2`)).rejects.toThrow(
      error('endpoint/unavailable', /status 404 \(no such model\); there is no such model/),
    );
  });
});

describe('a redirect', () => {
  it('inside the same origin is followed', async () => {
    const server = await serve();
    const moved = `${server.origin}/v2/models/model/versions/1`;
    Object.defineProperty(server.faults, 'redirect', {
      get: () => (server.received.requests === 1 ? { to: moved, status: 307 } : undefined),
    });
    expect((await openRemote(server.url)).classes).toBe(3);
    expect(server.received.requests).toBe(3);
  });

  it('to another host gets neither samples nor credentials', async () => {
    const [server, other] = [await serve(), await serve()];
    server.faults.redirect = { to: `${other.url}?key=1`, status: 308 };
    await expect(openRemote(server.url, { token: 'token' })).rejects.toThrow(
      error('endpoint/unavailable', new RegExp(`a redirect to "${other.origin}"; give that address`)),
    );
    expect(other.received.requests).toBe(0);
  });

  it.each([
    [{ to: '/v2/models/model', status: 302 }, /after 3 others/],
    [{ to: 'http://', status: 302 }, /to nowhere/],
    [{ to: '//me:secret@localhost/v2/models/model', status: 302 }, /to nowhere/],
  ])('%j is not followed for ever', async (redirect, text) => {
    const server = await serve({ faults: { redirect } });
    await expect(openRemote(server.url)).rejects.toThrow(error('endpoint/unavailable', text));
  });

  it('that would turn a question into another request is refused', async () => {
    const { server, oracle } = await opened();
    server.faults.redirect = { to: '/v2/models/model', status: 302 };
    await expect(oracle.ask(samples, 1)).rejects.toThrow(
      error('endpoint/unavailable', /of a POST with status 302/),
    );
  });
});

describe('credentials', () => {
  it.each<[string, (url: string) => [string, RemoteOptions], string]>([
    ['a token', (url) => [url, { token: 'abcd' }], 'Bearer abcd'],
    ['a header', (url) => [url, { headers: { Authorization: 'Key abcd' } }], 'Key abcd'],
    ['a user in the address', (url) => [url.replace('//', '//me:p%40ss@'), {}], `Basic ${btoa('me:p@ss')}`],
    ['the environment', (url) => [url, {}], 'Bearer from-the-environment'],
  ])('come from %s', async (_, how, expected) => {
    vi.stubEnv('GLACIS_ENDPOINT_TOKEN', 'from-the-environment');
    const server = await serve();
    const [url, options] = how(server.url);
    const oracle = await openRemote(url, { ...options, headers: { 'X-Team': 'red', ...options.headers } });
    await oracle.ask(samples, 1);
    expect(oracle.url).toBe(server.url);
    expect(server.received.headers).toHaveLength(3);
    for (const headers of server.received.headers)
      expect(headers).toMatchObject({ authorization: expected, 'x-team': 'red' });
  });

  it('are never repeated, even where the endpoint does', async () => {
    const server = await serve();
    const secret = 'hunter2-hunter2';
    server.faults.refuse = {
      status: 403,
      text: `${'x'.repeat(190)} bad token ${secret} (Bearer ${secret}), key ${secret}`,
    };
    const said: string[] = [];
    const thrown = await openRemote(server.url, {
      token: secret,
      headers: { 'x-key': secret },
      say: (text) => said.push(text),
    }).catch((e: unknown) => e);
    expect(thrown).toEqual(error('endpoint/unavailable', /status 403 \(x/));
    expect(`${(thrown as Error).message} ${said.join()}`).not.toMatch(/hunter/);
    server.faults.refuse = { status: 403, text: `${secret} is not welcome` };
    await expect(openRemote(server.url, { token: secret })).rejects.toThrow(/\*\*\* is not welcome/);
  });
});
