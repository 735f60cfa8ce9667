import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { REFUSALS } from '../refusal.ts';
import { SOON, SOUND, startFaces } from './faces.fixture.ts';

/** Abuse cases by the numbers of the list that the gateway is held to: connections and bodies of the REST face. */
let at: Awaited<ReturnType<typeof startFaces>>;
afterEach(() => at.stop());
const BODY = JSON.stringify(SOUND);
const HEAD = 'POST /v2/models/echo/infer HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
const SHORT = { headerTime: '200 ms', bodyTime: '400 ms', idleTime: '600 ms', keepAliveTime: '300 ms' };

/** A connection that notes what it hears, and when it ends. */
function opened(port: number): { socket: Socket; heard: () => string; ended: Promise<void> } {
  const socket = connect(port, '127.0.0.1');
  let said = '';
  socket.on('data', (piece) => {
    said += piece.toString('latin1');
  });
  socket.on('error', () => {});
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return { socket, heard: () => said, ended };
}

describe('12: bytes that come slowly', () => {
  it('a connection that says nothing is closed', async () => {
    at = await startFaces({ limits: SHORT });
    await opened(at.restPort).ended;
  });
  it('headers that do not end', async () => {
    at = await startFaces({ limits: SHORT });
    const { socket, heard, ended } = opened(at.restPort);
    socket.write('POST /v2/models/echo/infer HTTP/1.1\r\nhost: x\r\n');
    const drip = setInterval(() => socket.write('x-a: b\r\n'), 50);
    await ended;
    clearInterval(drip);
    expect(heard()).toMatch(/^HTTP\/1.1 408 [\s\S]*\{"error":"the answer was not ready in time"\}$/);
  });
  it('a body that does not end', async () => {
    at = await startFaces({ limits: SHORT });
    const { socket, heard, ended } = opened(at.restPort);
    socket.write(`${HEAD}content-length: 100000\r\n\r\n`);
    const drip = setInterval(() => socket.write(' '), 50);
    await ended;
    clearInterval(drip);
    expect(heard()).toMatch(/^HTTP\/1.1 408 /);
    await expect.poll(() => [at.faces.inWork(), at.faces.buffered()], SOON).toEqual([0, 0]);
    expect(at.seen.questions).toHaveLength(0);
  });
  it('an answer that is not read', async () => {
    at = await startFaces({ limits: SHORT }, { mostBytes: 1 << 25 });
    const length = 12_000_000;
    const json = JSON.stringify({
      inputs: [{ name: 'x', shape: [length], datatype: 'UINT8', parameters: { binary_data_size: length } }],
      parameters: { binary_data_output: true },
    });
    const { socket, ended } = opened(at.restPort);
    let received = 0;
    socket.on('data', (piece) => {
      received += piece.length;
    });
    socket.pause();
    socket.write(
      `${HEAD}inference-header-content-length: ${json.length}\r\ncontent-length: ${json.length + length}\r\n\r\n${json}`,
    );
    socket.write(new Uint8Array(length));
    await expect.poll(() => at.seen.questions.length, SOON).toBe(1);
    await new Promise((next) => setTimeout(next, 1500));
    socket.resume();
    await ended;
    expect(received).toBeLessThan(length);
  });
  it('a connection that waits for nothing is closed', async () => {
    at = await startFaces({ limits: { ...SHORT, idleTime: '1 minute' } });
    const { socket, heard, ended } = opened(at.restPort);
    socket.write('GET /v2/health/live HTTP/1.1\r\nhost: x\r\n\r\n');
    await ended;
    expect(heard()).toMatch(/^HTTP\/1.1 200 /);
  });
});

it('12: a body in 100,000 chunks of six bytes', async () => {
  at = await startFaces();
  const text = BODY + ' '.repeat(600_000 - BODY.length);
  const chunks: string[] = [];
  for (let i = 0; i < text.length; i += 6) {
    const piece = text.slice(i, i + 6);
    chunks.push(`${piece.length.toString(16)}\r\n${piece}\r\n`);
  }
  const said = await at.raw(
    `${HEAD}transfer-encoding: chunked\r\nconnection: close\r\n\r\n${chunks.join('')}0\r\n\r\n`,
  );
  expect(said).toMatch(/^HTTP\/1.1 200 /);
  expect(at.seen.questions[0]!.bytes).toBe(600_000);
});

describe('12: smuggling', () => {
  const hidden = 'GET /v2/models/echo HTTP/1.1\r\nhost: x\r\n\r\n';
  it.each([
    ['length and chunks', `content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`],
    ['chunks and length', `transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n${hidden}`],
    ['two lengths', `content-length: 0\r\ncontent-length: ${hidden.length}\r\n\r\n${hidden}`],
    ['a list of lengths', `content-length: 0, ${hidden.length}\r\n\r\n${hidden}`],
    ['a length with a sign', `content-length: +0\r\n\r\n${hidden}`],
    ['a negative length', `content-length: -1\r\n\r\n${hidden}`],
    ['a length that overflows', `content-length: 18446744073709551617\r\n\r\n${hidden}`],
    ['an unknown coding', `transfer-encoding: xchunked\r\n\r\n0\r\n\r\n${hidden}`],
    ['chunks that are not last', `transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n${hidden}`],
    ['a space before the colon', `transfer-encoding : chunked\r\n\r\n0\r\n\r\n${hidden}`],
    ['a folded header', `transfer-encoding:\r\n chunked\r\n\r\n0\r\n\r\n${hidden}`],
    ['a chunk size that is none', `transfer-encoding: chunked\r\n\r\nzz\r\n\r\n${hidden}`],
    ['a chunk size that overflows', `transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n${hidden}`],
    ['a chunk longer than it says', `transfer-encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n${hidden}`],
  ])('%s', async (_name, rest) => {
    at = await startFaces();
    const said = await at.raw(`${HEAD}${rest}`);
    expect(said).toMatch(/^HTTP\/1.1 400 /);
    expect(said.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect([at.seen.questions.length, at.seen.looked.length]).toEqual([0, 0]);
  });
});

it('12: requests in a row on one connection are answered in order', async () => {
  at = await startFaces();
  const one = (i: number) => {
    const body = JSON.stringify({ ...SOUND, id: `n-${i}` });
    return `${HEAD}content-length: ${body.length}\r\n\r\n${body}`;
  };
  const said = await at.raw(Array.from({ length: 200 }, (_, i) => one(i)).join(''), /"n-199"[\s\S]*$/);
  const ids = [...said.matchAll(/"id":"n-(\d+)"/g)].map(([, id]) => Number(id));
  expect(ids).toEqual([...Array(200).keys()]);
});

it('12: other protocols are not changed to, and nothing is tunnelled', async () => {
  at = await startFaces();
  const upgrade = 'connection: upgrade, close\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n';
  const same = await at.raw(`GET /v2/health/live HTTP/1.1\r\nhost: x\r\n${upgrade}\r\n`, /\{"live":true\}/);
  expect(same).toMatch(/^HTTP\/1.1 200 /);
  const socket = await at.raw(
    'GET /v2/models/echo/infer HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
    /\}$/,
  );
  expect(socket).toMatch(/^HTTP\/1.1 404 /);
  expect(await at.raw('CONNECT 169.254.169.254:80 HTTP/1.1\r\nhost: x\r\n\r\n')).toBe('');
  expect(await at.raw('GET /v2 HTTP/1.1\r\nhost: x\r\nexpect: magic\r\nconnection: close\r\n\r\n')).toMatch(
    /^HTTP\/1.1 417 /,
  );
});

it('12: headers beyond the limit', async () => {
  at = await startFaces();
  const said = await at.raw(`${HEAD}authorization: Bearer ${'x'.repeat(100_000)}\r\n\r\n`);
  expect(said).toMatch(/^HTTP\/1.1 431 /);
  expect(said).toContain(JSON.stringify({ error: REFUSALS['too-large'].message }));
  expect(at.seen.malformed).toHaveLength(0);
});

it('12: more connections than one address may have are closed, and room comes back', async () => {
  at = await startFaces({ limits: { connectionsPerAddress: 3 } });
  const three = [1, 2, 3].map(() => opened(at.restPort));
  await Promise.all(three.map(({ socket }) => new Promise((resolve) => socket.once('connect', resolve))));
  await opened(at.restPort).ended;
  three[0]!.socket.destroy();
  await expect
    .poll(async () => at.raw('GET /v2/health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'), SOON)
    .toMatch(/200 OK/);
  for (const { socket } of three) socket.destroy();
});

it('12: a connection ends in good order after its requests', async () => {
  at = await startFaces({ limits: { requestsPerConnection: 2 } });
  const get = 'GET /v2/health/live HTTP/1.1\r\nhost: x\r\n\r\n';
  const { socket, heard, ended } = opened(at.restPort);
  socket.write(get);
  await expect.poll(heard, SOON).toMatch(/\{"live":true\}$/);
  socket.write(get);
  await ended;
  expect(heard().match(/200 OK/g)).toHaveLength(2);
  expect(heard()).toMatch(/connection: close/i);
});

describe('13: bodies beyond the limit', () => {
  it('without a length are not read on', async () => {
    at = await startFaces({}, { mostBytes: 100_000 });
    const { socket, heard, ended } = opened(at.restPort);
    socket.write(`${HEAD}transfer-encoding: chunked\r\n\r\n`);
    const chunk = `4000\r\n${' '.repeat(0x4000)}\r\n`;
    let sent = 0;
    const flood = setInterval(() => {
      if (!socket.destroyed) socket.write(chunk);
      sent += chunk.length;
    }, 2);
    await ended;
    clearInterval(flood);
    expect(heard()).toMatch(/^HTTP\/1.1 413 /);
    expect(heard()).toMatch(/connection: close/i);
    expect(sent).toBeLessThan(10_000_000);
    expect(at.seen.questions).toHaveLength(0);
  });
  it('with a length are refused before they are read', async () => {
    at = await startFaces({}, { mostBytes: 100_000 });
    const said = await at.raw(`${HEAD}content-length: 100001\r\n\r\n`);
    expect(said).toMatch(/^HTTP\/1.1 413 /);
    expect(said).toContain(JSON.stringify({ error: REFUSALS['too-large'].message }));
  });
  it('exactly at it are read', async () => {
    at = await startFaces({}, { mostBytes: 100_000 });
    const answer = await at.ask(BODY + ' '.repeat(100_000 - BODY.length));
    expect(answer.status).toBe(200);
  });
});

describe('memory for all', () => {
  it('one address has its share, and is told to come back', async () => {
    at = await startFaces({ limits: { bufferedBytes: 1_000_000 } }, { mostBytes: 500_000, delay: 300 });
    const big = BODY + ' '.repeat(300_000);
    const answers = await Promise.all(Array.from({ length: 6 }, () => at.ask(big)));
    const counts = answers.map(({ status }) => status).sort();
    expect(counts[0]).toBe(200);
    expect(counts.at(-1)).toBe(503);
    expect(at.faces.buffered()).toBe(0);
    expect((await at.ask(big)).status).toBe(200);
  });
  it('so many requests at once', async () => {
    at = await startFaces({ limits: { requestsAtOnce: 2 } }, { delay: 200 });
    const answers = await Promise.all(Array.from({ length: 5 }, () => at.ask(SOUND)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 503, 503, 503]);
    expect(at.faces.inWork()).toBe(0);
  });
});
