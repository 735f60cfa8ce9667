import { type ClientHttp2Session, connect as connectHttp2, constants } from 'node:http2';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { GRPC_METHODS } from '../../oip/index.ts';
import { REFUSALS, type Refusal } from '../refusal.ts';
import { SOON, soundMessage, startFaces } from './faces.fixture.ts';

/** Abuse cases by the numbers of the list that the gateway is held to: the gRPC face. */
let at: Awaited<ReturnType<typeof startFaces>>;
const sessions: ClientHttp2Session[] = [];
afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy();
  await at.stop();
});
const SHORT = { headerTime: '200 ms', bodyTime: '400 ms', idleTime: '600 ms', keepAliveTime: '300 ms' };

function opened(options: object = {}): ClientHttp2Session {
  const session = connectHttp2(at.grpc, options);
  session.on('error', () => {});
  sessions.push(session);
  return session;
}
const INFER = {
  ':method': 'POST',
  ':path': GRPC_METHODS.ModelInfer,
  'content-type': 'application/grpc',
  te: 'trailers',
};
const prefixed = (message: Uint8Array, flag = 0, length = message.length) => {
  const prefix = Buffer.from([flag, 0, 0, 0, 0]);
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
};
/** A call that must not become a question. */
async function refused(
  refusal: Refusal,
  options: Parameters<typeof at.call>[2] & { readonly message?: Uint8Array },
): Promise<void> {
  const called = await at.call('ModelInfer', options.message ?? soundMessage(), options);
  expect([called.code, called.text]).toEqual([REFUSALS[refusal].grpc, REFUSALS[refusal].message]);
  expect(at.seen.questions).toHaveLength(0);
  await expect.poll(() => [at.faces.inWork(), at.faces.buffered()], SOON).toEqual([0, 0]);
}

describe('15: messages', () => {
  it('larger than the limit, or said to be', async () => {
    at = await startFaces({}, { mostBytes: 1000 });
    await refused('too-large', { message: Buffer.alloc(1001) });
    await refused('too-large', { body: prefixed(Buffer.alloc(3), 0, 2 ** 32 - 1) });
  });
  it('a bomb stops at the bound', async () => {
    at = await startFaces({}, { mostBytes: 1 << 20 });
    const body = prefixed(gzipSync(Buffer.alloc(1 << 26)), 1);
    await refused('too-large', { body, headers: { 'grpc-encoding': 'gzip' } });
  });
  it('none, two, half a one, or more than it says', async () => {
    at = await startFaces();
    const sound = prefixed(soundMessage());
    await refused('malformed', { body: new Uint8Array(0) });
    await refused('malformed', { body: Buffer.concat([sound, sound]) });
    await refused('malformed', { body: sound.subarray(0, -1) });
    await refused('malformed', { body: sound.subarray(0, 4) });
    await refused('malformed', { body: Buffer.concat([sound, Buffer.from([0])]) });
  });
  it('that are no messages', async () => {
    at = await startFaces();
    await refused('malformed', { message: Buffer.from('ffffffffff', 'hex') });
    await refused('malformed', { message: Buffer.from('nonsense') });
  });
  it('compressed in a way that is not said, not known, or not so', async () => {
    at = await startFaces();
    const sound = soundMessage();
    await refused('malformed', { body: prefixed(gzipSync(sound), 1) });
    await refused('malformed', { body: prefixed(sound, 2) });
    await refused('malformed', { body: prefixed(sound, 1), headers: { 'grpc-encoding': 'gzip' } });
    await refused('malformed', {
      body: prefixed(gzipSync(sound), 1),
      headers: { 'grpc-encoding': 'deflate' },
    });
    await refused('encoding', { body: prefixed(sound, 1), headers: { 'grpc-encoding': 'snappy' } });
    const unknown = await at.call('ModelInfer', sound, { headers: { 'grpc-encoding': 'br' } });
    expect(unknown.headers['grpc-accept-encoding']).toBe('identity,deflate,gzip');
  });
});

describe('15: deadlines', () => {
  it('that are none are refused; those past end the call', async () => {
    at = await startFaces();
    for (const timeout of ['', '1', 'S', '-1S', '1.5S', '123456789S', '1X', '1S, 2S'])
      await refused('malformed', { headers: { 'grpc-timeout': timeout } });
    const late = await at.call('ModelInfer', soundMessage(undefined, 'late'), {
      headers: { 'grpc-timeout': '0n' },
    });
    expect(late.code).toBe(4);
  });
  it('of years change nothing', async () => {
    at = await startFaces();
    const called = await at.call('ModelInfer', soundMessage(), { headers: { 'grpc-timeout': '99999999H' } });
    expect(called.code).toBe(0);
  });
});

describe('15: metadata', () => {
  it('of 100 kB, or 1000 entries, is refused, and others are served', async () => {
    at = await startFaces();
    for (const headers of [
      { authorization: `Bearer ${'x'.repeat(100_000)}` },
      Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`k${i}`, 'v'])),
    ]) {
      const session = opened({ maxSendHeaderBlockLength: 1 << 24 });
      const stream = session.request({ ...INFER, ...headers });
      let code: unknown;
      stream.on('response', (given) => {
        code = given['grpc-status'] ?? given[':status'];
      });
      stream.on('error', () => {});
      await new Promise((resolve) => stream.once('close', resolve));
      expect(code).toBeUndefined();
    }
    expect(at.seen.questions).toHaveLength(0);
    expect((await at.call('ModelInfer', soundMessage())).code).toBe(0);
  });
});

describe('15: what never comes, and what is never read', () => {
  it('a message that does not come', async () => {
    at = await startFaces({ limits: SHORT });
    const stream = opened().request(INFER);
    stream.write(prefixed(soundMessage()).subarray(0, 20));
    const drip = setInterval(() => stream.write(Buffer.alloc(1)), 100);
    const headers = await new Promise<Record<string, unknown>>((resolve) => stream.once('response', resolve));
    clearInterval(drip);
    expect(headers['grpc-status']).toBe(String(REFUSALS.late.grpc));
    expect(at.seen.questions).toHaveLength(0);
    await expect.poll(() => [at.faces.inWork(), at.faces.buffered()], SOON).toEqual([0, 0]);
  });
  it('an answer that is not read', async () => {
    at = await startFaces({ limits: SHORT });
    const session = opened({ settings: { initialWindowSize: 0 } });
    const stream = session.request(INFER);
    stream.on('error', () => {});
    stream.end(prefixed(soundMessage()));
    await new Promise((resolve) => stream.once('close', resolve));
    expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
    expect(at.seen.questions).toHaveLength(1);
  });
  it('a connection that says nothing, and one that has nothing more to say', async () => {
    at = await startFaces({ limits: SHORT });
    const silent = connect(at.grpcPort, '127.0.0.1');
    silent.resume();
    silent.on('error', () => {});
    await new Promise((resolve) => silent.once('close', resolve));
    const session = opened();
    const stream = session.request(INFER);
    stream.resume();
    stream.end(prefixed(soundMessage()));
    await new Promise((resolve) => session.once('close', resolve));
    expect(at.seen.questions).toHaveLength(1);
  });
});

describe('12: HTTP/2', () => {
  it('rapid resets end the connection, and leave nothing behind', async () => {
    at = await startFaces({ limits: { streamsPerConnection: 64 } }, { delay: 20 });
    const session = opened();
    const closed = new Promise((resolve) => session.once('close', resolve));
    let opening = 0;
    const flood = setInterval(() => {
      for (let i = 0; i < 100 && !session.destroyed && !session.closed; i++) {
        const stream = session.request(INFER);
        stream.on('error', () => {});
        stream.end(prefixed(soundMessage()));
        stream.close(constants.NGHTTP2_CANCEL);
        opening++;
      }
    }, 1);
    await closed;
    clearInterval(flood);
    expect(opening).toBeLessThan(20_000);
    expect((await at.call('ModelInfer', soundMessage())).code).toBe(0);
    await expect.poll(() => [at.faces.inWork(), at.faces.buffered()], SOON).toEqual([0, 0]);
  });
  it('more calls at once than a connection may have wait for their turn', async () => {
    at = await startFaces({ limits: { streamsPerConnection: 4 } }, { delay: 30 });
    const session = opened();
    await new Promise((resolve) => session.once('remoteSettings', resolve));
    const codes = await Promise.all(
      Array.from({ length: 20 }, () => {
        const stream = session.request(INFER);
        stream.resume();
        stream.end(prefixed(soundMessage()));
        return new Promise((resolve) => stream.once('trailers', (given) => resolve(given['grpc-status'])));
      }),
    );
    expect(new Set(codes)).toEqual(new Set(['0']));
  });
  it('a connection ends in good order after its calls', async () => {
    at = await startFaces({ limits: { requestsPerConnection: 2 } });
    const session = opened();
    const closed = new Promise((resolve) => session.once('close', resolve));
    for (let i = 0; i < 2; i++) {
      const stream = session.request(INFER);
      stream.resume();
      stream.end(prefixed(soundMessage()));
      const trailers = await new Promise<Record<string, unknown>>((next) => stream.once('trailers', next));
      expect(trailers['grpc-status']).toBe('0');
    }
    await closed;
  });
  it('what is not HTTP/2 is closed', async () => {
    at = await startFaces();
    const socket = connect(at.grpcPort, '127.0.0.1');
    let said = Buffer.alloc(0);
    socket.on('data', (piece) => {
      said = Buffer.concat([said, piece]);
    });
    socket.on('error', () => {});
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await new Promise((resolve) => socket.once('close', resolve));
    expect(said.toString('latin1')).not.toMatch(/node|error:/i);
  });
  it('methods and content types that are not gRPC', async () => {
    at = await startFaces();
    const session = opened();
    for (const [method, type] of [
      ['GET', 'application/grpc'],
      ['POST', 'application/json'],
      ['POST', 'application/grpc-web'],
      ['POST', ''],
    ] as const) {
      const stream = session.request({ ...INFER, ':method': method, 'content-type': type });
      stream.on('error', () => {});
      const headers = await new Promise<Record<string, unknown>>((next) => stream.once('response', next));
      expect(headers[':status']).toBe(415);
    }
    expect(at.seen.questions).toHaveLength(0);
  });
});
