import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import { type AddressInfo, connect, createServer as createTcp, type Socket } from 'node:net';
import { JSON_LENGTH_HEADER } from '../../../oip/message.ts';
import { encodeModelMetadata, type ModelMetadata } from '../../../oip/metadata.ts';
import type { InferRequest } from '../../../oip/request.ts';
import { decodeInferRequest } from '../../../oip/request.ts';
import type { InferResponse } from '../../../oip/response.ts';
import { encodeInferResponse } from '../../../oip/response.ts';

/** A server of the protocol whose model doubles its input `x` of `[-1, 3]`, and that can be made to misbehave. */
export interface TestUpstream {
  readonly url: string;
  readonly port: number;
  /** Requests that came, as `METHOD path`. */
  readonly asked: string[];
  /** What was asked about. */
  readonly requests: InferRequest[];
  /** Headers of the newest request. */
  headers: IncomingMessage['headers'];
  /** Answers in place of the model; `undefined`: the model. */
  misbehave: ((request: IncomingMessage, response: ServerResponse, good: InferResponse) => void) | undefined;
  binary: boolean;
  metadata: ModelMetadata;
  close(): Promise<void>;
}

/** What the server says of its model. */
export const DOUBLING: ModelMetadata = {
  name: 'double',
  versions: ['1'],
  platform: 'test',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 3] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 3] }],
};

/** The answer that the model gives. */
export function doubled(request: InferRequest): InferResponse {
  const [x] = request.inputs;
  return {
    modelName: 'double',
    modelVersion: '1',
    ...(request.id !== undefined && { id: request.id }),
    outputs: [
      { name: 'y', datatype: 'FP32', shape: x!.shape, data: (x!.data as Float32Array).map((v) => 2 * v) },
    ],
  };
}

/** Starts the server on a free port, or on the given one. */
export async function testUpstream(
  options: { readonly port?: number; readonly metadata?: ModelMetadata; readonly tls?: ServerOptions } = {},
): Promise<TestUpstream> {
  const { metadata = DOUBLING, tls } = options;
  const asked: string[] = [];
  const requests: InferRequest[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    asked.push(`${request.method} ${request.url}`);
    made.headers = request.headers;
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const json = (body: Uint8Array | string) =>
      response.setHeader('content-type', 'application/json').end(body);
    if (request.url === '/v2')
      return json(
        JSON.stringify({ name: 't', version: '1', extensions: made.binary ? ['binary_tensor_data'] : [] }),
      );
    if (request.method === 'GET') return json(encodeModelMetadata(made.metadata));
    const jsonLength = request.headers[JSON_LENGTH_HEADER] as string | undefined;
    const question = decodeInferRequest({ body: Buffer.concat(chunks), jsonLength });
    requests.push(question);
    const good = doubled(question);
    if (made.misbehave) return made.misbehave(request, response, good);
    sendAnswer(response, good, made.binary);
  };
  const server = tls ? createTlsServer(tls, answer) : createServer(answer);
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const made: TestUpstream = {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}/v2/models/double`,
    port,
    asked,
    requests,
    headers: {},
    misbehave: undefined,
    binary: true,
    metadata,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close').catch(() => {});
    },
  };
  return made;
}

/** Sends an answer as the protocol has it. */
export function sendAnswer(response: ServerResponse, answer: InferResponse, binary: boolean): void {
  const { body, headers } = encodeInferResponse(answer, () => binary);
  response.writeHead(200, headers).end(body);
}

/** A proxy that can be told to cut, slow down, or swallow what passes. */
export interface TestProxy {
  readonly port: number;
  /** `pass`; `cut`: connections are reset; `slow`: answers come a byte at a time; `hole`: nothing comes back; `refuse`: nobody listens. */
  mode: 'pass' | 'cut' | 'slow' | 'hole';
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** A proxy before a port of this machine. */
export async function testProxy(to: number): Promise<TestProxy> {
  const sockets = new Set<Socket>();
  const server = createTcp((near) => {
    sockets.add(near);
    near.on('close', () => sockets.delete(near)).on('error', () => {});
    if (made.mode === 'cut') return near.resetAndDestroy();
    const far = connect(to, '127.0.0.1');
    far.on('error', () => near.destroy());
    near.on('data', (chunk) => (made.mode === 'cut' ? near.resetAndDestroy() : far.write(chunk)));
    far.on('data', async (chunk) => {
      if (made.mode === 'hole') return;
      if (made.mode === 'cut') return near.resetAndDestroy();
      if (made.mode === 'pass') return near.write(chunk);
      for (const byte of chunk) {
        if (near.destroyed) return;
        near.write(Uint8Array.of(byte));
        await new Promise((later) => setTimeout(later, 20));
      }
    });
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  });
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const made: TestProxy = {
    port,
    mode: 'pass',
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close').catch(() => {});
    },
    start: () => listen(port),
  };
  return made;
}
