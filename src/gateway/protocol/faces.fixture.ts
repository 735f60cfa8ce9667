import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { encodeGrpcInferRequest, GRPC_METHODS, type Tensor } from '../../oip/index.ts';
import type { Padding } from '../padding.ts';
import { listenSchema } from './config-schema.ts';
import { type FakeOptions, fakeGateway } from './fake-gateway.fixture.ts';
import { framed } from './grpc/message-reader.ts';
import { openFaces } from './open-faces.ts';

/** Faces in front of the fixture, on free ports, with ways to speak to them. */
export async function startFaces(listen: object = {}, fake: FakeOptions = {}, padding?: Padding) {
  const gateway = fakeGateway(fake);
  const faces = await openFaces(gateway, listenSchema.parse({ port: 0, grpcPort: 0, ...listen }), {
    padding,
  });
  const { rest } = faces.addresses;
  const grpc = faces.addresses.grpc!;
  const portOf = (address: string) => Number(address.slice(address.lastIndexOf(':') + 1));
  return {
    faces,
    gateway,
    seen: gateway.seen,
    rest,
    grpc: grpc.replace('grpc', 'http'),
    restPort: portOf(rest),
    grpcPort: portOf(grpc),
    /** Asks the model `echo` over REST. */
    ask: (
      body: object | Uint8Array | string,
      headers: Record<string, string> = {},
      path = '/v2/models/echo/infer',
    ) =>
      fetch(`${rest}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body:
          typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
      }),
    /** Writes raw bytes to the REST face and reads until it closes, or until `until` matches. */
    raw: (text: string | Uint8Array, until?: RegExp) => spoken(portOf(rest), text, until),
    /** One call over HTTP/2: what the trailers and the message are. */
    call: (method: string, message: Uint8Array, options: CallOptions = {}) =>
      called(grpc.replace('grpc', 'http'), method, message, options),
    stop: () => faces.close(),
  };
}

/** How long something that comes soon may take on a machine that is busy. */
export const SOON = { timeout: 60_000, interval: 10 };

/** JSON of a sound question. */
export const SOUND = {
  id: 'q-1',
  inputs: [{ name: 'x', shape: [1, 2], datatype: 'FP32', data: [0.5, -1.5] }],
};

/** The bytes of a sound `ModelInferRequest`. */
export function soundMessage(
  inputs: readonly Tensor[] = [
    { name: 'x', datatype: 'FP32', shape: [1, 2], data: Float32Array.of(0.5, -1.5) },
  ],
  model = 'echo',
): Buffer {
  const request = { id: 'q-1', inputs, binaryOutput: true };
  return Buffer.concat(encodeGrpcInferRequest({ model, version: undefined, request }));
}

/** Writes to a port, and gives what comes back until the other side closes or `until` matches. */
function spoken(port: number, text: string | Uint8Array, until?: RegExp): Promise<string> {
  return new Promise((resolve) => {
    const socket: Socket = connect(port, '127.0.0.1');
    let said = '';
    const finish = (): void => {
      socket.destroy();
      resolve(said);
    };
    socket.setTimeout(20_000, finish);
    socket.on('error', finish);
    socket.on('close', finish);
    socket.on('data', (piece) => {
      said += piece.toString('latin1');
      if (until?.test(said)) finish();
    });
    socket.write(text);
  });
}

/** How a call is made otherwise than usual. */
export interface CallOptions {
  readonly headers?: Record<string, string>;
  /** The bytes of the body in place of the message with its prefix. */
  readonly body?: Uint8Array;
}

/** What came back of a call. */
export interface Called {
  readonly status: number;
  readonly code: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly message: Buffer;
}

function called(url: string, method: string, message: Uint8Array, options: CallOptions): Promise<Called> {
  const session = connectHttp2(url);
  return new Promise<Called>((resolve, reject) => {
    session.on('error', reject);
    const stream = session.request({
      ':method': 'POST',
      ':path': (GRPC_METHODS as Record<string, string>)[method] ?? method,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...options.headers,
    });
    let headers: Record<string, unknown> = {};
    const parts: Buffer[] = [];
    stream.on('response', (given) => {
      headers = { ...headers, ...given };
    });
    stream.on('trailers', (given) => {
      headers = { ...headers, ...given };
    });
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('error', () => {});
    stream.on('close', () => {
      const body = Buffer.concat(parts);
      resolve({
        status: Number(headers[':status'] ?? 0),
        code: Number(headers['grpc-status'] ?? -1),
        text: decodeURI(`${headers['grpc-message'] ?? ''}`),
        headers,
        message: body.subarray(5),
      });
    });
    stream.end(options.body ?? Buffer.concat(framed([message], false)));
  }).finally(() => session.destroy());
}
