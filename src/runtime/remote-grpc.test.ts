import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import {
  answerCall,
  framedMessage,
  GRPC_HEADERS,
  type GrpcTestServer,
  type Misdeed,
  refuseCall,
  startGrpcServer,
} from '../../test/oip/grpc-server.ts';
import { LINEAR, linearSamples, linearScores } from '../../test/oip/linear.ts';
import type { ServedModel } from '../../test/oip/model.ts';
import { startServer } from '../../test/oip/server.ts';
import { GlacisError } from '../core/error.ts';
import { encodeGrpcInferResponse } from '../oip/index.ts';
import { openRemote, type RemoteOptions, type RemoteOracle } from './index.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

async function opened(
  options: RemoteOptions = {},
  model: Partial<ServedModel> = {},
): Promise<{ readonly server: GrpcTestServer; readonly oracle: RemoteOracle; readonly waits: number[] }> {
  const server = await startGrpcServer({ ...LINEAR, ...model });
  const waits: number[] = [];
  const sleep = async (ms: number) => {
    waits.push(ms);
  };
  const oracle = await openRemote(server.url, { sleep, now: () => 0, ...options });
  stops.push(async () => {
    await oracle.close();
    await server.stop();
  });
  return { server, oracle, waits };
}

const error = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });
const samples = linearSamples(13);
const scores = linearScores(samples, 13);
/** A misdeed for question `which` alone; the opening one is the first. */
const once =
  (which: number, misdeed: Misdeed): Misdeed =>
  (stream, question, good) =>
    question === which && misdeed(stream, question, good);

describe('a model behind gRPC', () => {
  it('is found by its metadata and one question, and answers bit for bit, whatever the batch', async () => {
    const { server, oracle } = await opened({ batch: 5 });
    expect(oracle).toMatchObject({
      url: server.url,
      sampleDims: [2, 2],
      classes: 3,
      input: 'x',
      output: 'y',
      format: 'binary',
      traffic: { requests: 2, rows: 1, answered: 0, repeated: 0 },
    });
    for (const n of [0, 1, 5, 13]) expect(await oracle.ask(samples, n)).toEqual(linearScores(samples, n));
    expect(oracle.traffic).toMatchObject({ requests: 7, answered: 19, repeated: 0 });
    expect(server.received.connections).toBe(1);
  });

  it.each(['FP16', 'BF16', 'FP64'] as const)('is sent %s where it wants that', async (datatype) => {
    const { oracle } = await opened({}, { datatype });
    expect(await oracle.ask(samples, 4)).toEqual(linearScores(samples, 4));
  });

  it('is filled up where its batch size is fixed, and asked less where a batch is too large', async () => {
    const { server, oracle } = await opened({}, { batch: 4 });
    expect(await oracle.ask(samples, 6)).toEqual(linearScores(samples, 6));
    expect(server.received.batches).toEqual([4, 4, 4]);
    const { oracle: bounded, server: other } = await opened({}, { most: { samples: 4, status: 400 } });
    expect(await bounded.ask(samples, 13)).toEqual(scores);
    expect(Math.max(...other.received.batches)).toBeLessThanOrEqual(4);
  });

  it('that finds a message too large is sent smaller ones, whatever its code says of limits', async () => {
    const { server, oracle, waits } = await opened();
    server.misdeed = once(2, (stream) =>
      refuseCall(stream, 8, 'Received message larger than max (208 vs. 100)'),
    );
    expect(await oracle.ask(samples, 13)).toEqual(scores);
    expect(server.received.batches).toEqual([1, 6, 6, 1]);
    expect(waits).toEqual([]);
  });

  it('takes many large requests at once', async () => {
    const size = 2 ** 18;
    const firstOf = (x: Float32Array, n: number) =>
      Float32Array.from({ length: 2 * n }, (_, i) => x[(i >> 1) * size + (i % 2)]!);
    const { oracle } = await opened(
      { batch: 1, parallel: 32, timeoutMs: 300_000 },
      { sampleShape: [size], outputs: 2, answer: firstOf },
    );
    const x = new Float32Array(32 * size);
    for (let i = 0; i < 32; i++) x[i * size] = i;
    expect(await oracle.ask(x, 32)).toEqual(firstOf(x, 32));
    expect(oracle.traffic).toMatchObject({ answered: 32, repeated: 0 });
  });

  it('is connected anew where the server ends the connection between two questions', async () => {
    const { server, oracle } = await opened();
    for (let i = 0; i < 3; i++) {
      expect(await oracle.ask(samples, 4)).toEqual(linearScores(samples, 4));
      await server.disconnect();
    }
    expect(server.received.connections).toBe(3);
  });

  it('gets the credentials as metadata', async () => {
    const { server, oracle } = await opened({ token: 'secret-token' });
    await oracle.ask(samples, 1);
    expect(new Set(server.received.authorizations)).toEqual(new Set(['Bearer secret-token']));
    server.misdeed = (stream) => refuseCall(stream, 16, 'not secret-token');
    await expect(oracle.ask(samples, 1)).rejects.toThrow(
      error('endpoint/unavailable', /status UNAUTHENTICATED \(not \*\*\*\); the token belongs/),
    );
  });

  it('has one format', async () => {
    const server = await startGrpcServer(LINEAR);
    stops.push(() => server.stop());
    await expect(openRemote(server.url, { format: 'json' })).rejects.toThrow(
      error('option/invalid', /the format binary or auto/),
    );
  });
});

describe('an endpoint over gRPC that fails', () => {
  it.each([
    ['throttles', (stream) => refuseCall(stream, 8, 'slow down', { 'retry-after': 7 }), 7000],
    ['is not ready', (stream) => refuseCall(stream, 14, 'starting', { 'retry-after': '2' }), 2000],
  ] satisfies [string, Misdeed, number][])(
    'because it %s is asked again after the seconds that it names',
    async (_, misdeed, wait) => {
      const { server, oracle, waits } = await opened();
      server.misdeed = once(2, misdeed);
      expect(await oracle.ask(samples, 13)).toEqual(scores);
      expect(waits).toEqual([wait]);
      expect(oracle.traffic).toMatchObject({ repeated: 1, answered: 13, rows: 27 });
    },
  );

  it.each([
    ['cuts the connection', (stream) => Boolean(stream.session?.destroy()) || true],
    ['resets the call', (stream) => Boolean(stream.close(2)) || true],
    [
      'cuts the answer',
      (stream, _, good) => {
        stream.respond(GRPC_HEADERS);
        stream.write(good.subarray(0, 8), () => stream.session?.destroy());
        return true;
      },
    ],
    [
      'forgets the status',
      (stream, _, good) => {
        stream.respond(GRPC_HEADERS);
        stream.end(good);
        return true;
      },
    ],
    ['fails inside', (stream) => refuseCall(stream, 13, 'broken')],
    [
      'is behind a proxy without it',
      (stream) => Boolean(stream.respond({ ':status': 502 }, { endStream: true })) || true,
    ],
  ] satisfies [string, Misdeed][])('because it %s is asked again', async (_, misdeed) => {
    const { server, oracle, waits } = await opened();
    server.misdeed = once(2, misdeed);
    expect(await oracle.ask(samples, 13)).toEqual(scores);
    expect(waits).toHaveLength(1);
    expect(oracle.traffic.repeated).toBe(1);
  });

  it('for good ends the run with the reason and what was answered', async () => {
    const { server, oracle } = await opened({ retries: 2 });
    await oracle.ask(samples, 5);
    server.misdeed = (stream) => refuseCall(stream, 14, 'gone fishing');
    await expect(oracle.ask(samples, 5)).rejects.toThrow(
      error('endpoint/unavailable', /UNAVAILABLE \(gone fishing\) 3 times in a row; 5 samples/),
    );
    await server.stop();
    stops.splice(0);
    await expect(oracle.ask(samples, 5)).rejects.toThrow(error('endpoint/unavailable', /ECONN|closed|ended/));
    await oracle.close();
  });

  it('by a refusal is not asked again', async () => {
    const { server, oracle, waits } = await opened();
    server.misdeed = (stream) => refuseCall(stream, 7, '%E0 control\u0007');
    await expect(oracle.ask(samples, 2)).rejects.toThrow(
      error('endpoint/unavailable', /PERMISSION_DENIED \(%E0 control\); the token belongs/),
    );
    expect(waits).toEqual([]);
  });

  it('by not answering at all is given up after the timeout', async () => {
    const { server, oracle } = await opened({ timeoutMs: 100, retries: 3 });
    server.misdeed = () => true;
    await expect(oracle.ask(samples, 2)).rejects.toThrow(
      error('endpoint/unavailable', /none within 0.1 s 4 times in a row/),
    );
  });

  it('can be left while it hangs', async () => {
    const { server, oracle } = await opened();
    const leaving = new AbortController();
    server.misdeed = () => {
      leaving.abort();
      return true;
    };
    await expect(oracle.ask(samples, 2, leaving.signal)).rejects.toThrow(error('run/cancelled', /./));
  });

  it('by speaking REST there says so', async () => {
    const server = await startServer(LINEAR);
    stops.push(() => server.stop());
    const sleep = async () => {};
    await expect(openRemote(server.url.replace('http', 'grpc'), { sleep })).rejects.toThrow(
      error('endpoint/unavailable', /HTTP\/2|ended/),
    );
  });
});

describe('garbage over gRPC', () => {
  const good = (outputs: object[], id?: string) =>
    framedMessage(encodeGrpcInferResponse({ modelName: 'm', ...(id && { id }), outputs } as never));
  const y = (shape: number[], fill = 0.5) => ({
    name: 'y',
    datatype: 'FP32',
    shape,
    data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(fill),
  });

  it.each([
    ['no message', new Uint8Array(0), /a message, got none/],
    ['half a prefix', new Uint8Array(3), /a message, got none/],
    ['a longer one than it is', Uint8Array.of(0, 0, 0, 0, 9, 1), /one message of 9 bytes, got 1/],
    ['two messages', Buffer.concat([good([y([2, 3])]), good([y([2, 3])])]), /one message of/],
    ['a compressed one', Uint8Array.of(1, 0, 0, 0, 1, 1), /got a compressed one/],
    ['no protobuf', Uint8Array.of(0, 0, 0, 0, 2, 0xff, 0xff), /protobuf/],
    ['no outputs', good([]), /output/],
    ['another id', good([y([2, 3])], 'other'), /request/],
    ['another shape', good([y([3, 2])]), /\[2, 3\]/],
    ['NaN', good([y([2, 3], Number.NaN)]), /finite/],
  ] satisfies [string, Uint8Array, RegExp][])('such as %s is no answer', async (_, bytes, message) => {
    const { server, oracle, waits } = await opened();
    server.misdeed = (stream) => answerCall(stream, bytes);
    await expect(oracle.ask(samples, 2)).rejects.toThrow(error('endpoint/bad-answer', message));
    expect(waits).toEqual([]);
  });

  it('without end is cut off', async () => {
    const { server, oracle } = await opened();
    server.misdeed = (stream) => {
      stream.respond(GRPC_HEADERS);
      const more = () => {
        while (!stream.destroyed && stream.write(new Uint8Array(2 ** 16)));
      };
      stream.on('drain', more);
      more();
      return true;
    };
    await expect(oracle.ask(samples, 2)).rejects.toThrow(error('endpoint/bad-answer', /at most \d+ bytes/));
    server.misdeed = undefined;
    expect(await oracle.ask(samples, 2)).toEqual(linearScores(samples, 2));
  });

  it('of another type is named', async () => {
    const { server, oracle } = await opened();
    server.misdeed = (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'text/html' });
      stream.end('<html>');
      return true;
    };
    await expect(oracle.ask(samples, 2)).rejects.toThrow(error('endpoint/bad-answer', /"text\/html"/));
  });

  it('of any bytes is refused or read, and never anything else', async () => {
    const { server, oracle } = await opened({ retries: 0 });
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 64 }),
        fc.boolean(),
        fc.integer({ min: -1, max: 20 }),
        async (bytes, isFramed, code) => {
          server.misdeed = (stream) =>
            code > 0
              ? refuseCall(stream, code, 'no')
              : answerCall(stream, isFramed ? framedMessage([bytes]) : bytes);
          await oracle.ask(samples, 2).catch((thrown: unknown) => {
            if (!(thrown instanceof GlacisError)) throw thrown;
          });
        },
      ),
      { numRuns: 60 },
    );
  });
});
