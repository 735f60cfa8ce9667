import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { GRPC_METHODS } from '../../oip/index.ts';
import { SOON, SOUND, soundMessage, startFaces } from './faces.fixture.ts';
import { fakeGateway } from './fake-gateway.fixture.ts';
import { listenSchema, openFaces } from './index.ts';

/** Asks over a connection that is kept, as most clients do: the status, or why there is none. */
function ask(port: number, agent: Agent): Promise<number | string> {
  return new Promise((resolve) => {
    const asked = request(
      { port, host: '127.0.0.1', agent, method: 'POST', path: '/v2/models/echo/infer' },
      (response) => {
        let said = '';
        response.on('data', (piece) => {
          said += piece;
        });
        response.on('end', () => resolve(said.includes('outputs') ? response.statusCode! : said));
        response.on('error', (error) => resolve(error.message));
      },
    );
    asked.setHeader('content-type', 'application/json');
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    asked.end(JSON.stringify(SOUND));
  });
}

it('what is in work is answered, and what comes meanwhile finds the door closed or an answer', async () => {
  const at = await startFaces({}, { delay: 60 });
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const client = new Client(at.grpc.slice('http://'.length), credentials.createInsecure());
  const call = () =>
    new Promise<number>((resolve) => {
      client.makeUnaryRequest(
        GRPC_METHODS.ModelInfer,
        (value: Buffer) => value,
        (bytes: Buffer) => bytes,
        soundMessage(),
        (error: ServiceError | null) => resolve(error?.code ?? 0),
      );
    });
  const results: (number | string)[] = [];
  let isOver = false;
  const loops = Array.from({ length: 8 }, async (_, i) => {
    while (!isOver) results.push(i < 4 ? await ask(at.restPort, agent) : await call());
  });
  await expect.poll(() => results.length, SOON).toBeGreaterThan(20);
  const drained = at.faces.drain();
  expect(at.faces.drain()).toBe(drained);
  await drained;
  isOver = true;
  await Promise.all(loops);
  agent.destroy();
  client.close();
  // A closed door: nothing was sent. 14 is what gRPC says for it. Anything else would be a request that was lost.
  expect(new Set(results)).toEqual(new Set([200, 0, 'ECONNREFUSED', 14]));
  expect(at.faces.inWork()).toBe(0);
});

it('large answers reach callers who read slowly before connections close', async () => {
  const at = await startFaces({}, { delay: 50 });
  const body = JSON.stringify({
    inputs: [{ name: 'x', shape: [300_000], datatype: 'FP32', data: Array(300_000).fill(0.123) }],
  });
  const asked = at.ask(body);
  await expect.poll(() => at.seen.questions.length, SOON).toBe(1);
  const [answer] = await Promise.all([asked, at.faces.drain()]);
  expect(((await answer.json()) as { outputs: { data: number[] }[] }).outputs[0]!.data).toHaveLength(300_000);
});

it('nobody waits for ever', async () => {
  const at = await startFaces({ limits: { drainTime: '300 ms' } });
  const asked = at.ask(SOUND, {}, '/v2/models/late/infer').catch(() => 'cut off');
  await expect.poll(() => at.seen.questions.length, SOON).toBe(1);
  await at.faces.drain();
  expect(await asked).toBe('cut off');
});

it('while it drains it says on open connections that it is not ready, and closes them', async () => {
  const at = await startFaces({}, { delay: 400 });
  const asked = at.ask(SOUND);
  const socket = connect(at.restPort, '127.0.0.1');
  let said = '';
  socket.on('data', (piece) => {
    said += piece;
  });
  const ended = new Promise((resolve) => socket.once('close', resolve));
  await expect.poll(() => at.seen.questions.length, SOON).toBe(1);
  const drained = at.faces.drain();
  socket.write('GET /v2/health/ready HTTP/1.1\r\nhost: x\r\n\r\n');
  await ended;
  expect(said).toMatch(/^HTTP\/1.1 503 [\s\S]*connection: close[\s\S]*\{"ready":false\}$/i);
  expect((await asked).status).toBe(200);
  await drained;
});

it('a port that is taken is an error that says so, and leaves nothing open', async () => {
  const at = await startFaces();
  await expect(startFaces({ port: at.restPort })).rejects.toMatchObject({ code: 'option/invalid' });
  await expect(startFaces({ grpcPort: at.grpcPort })).rejects.toMatchObject({ code: 'option/invalid' });
  await at.stop();
  const rest = await openFaces(fakeGateway(), listenSchema.parse({ port: 0 }));
  expect(rest.addresses).toEqual({ rest: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) });
  await rest.close();
});
