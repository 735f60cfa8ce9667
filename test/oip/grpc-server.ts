import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import {
  decodeGrpcInferRequest,
  encodeGrpcInferResponse,
  encodeGrpcModelMetadata,
  GRPC_METHODS,
} from '../../src/oip/index.ts';
import { answerOf, metadataOf, namesOf, refusalOf, type ServedModel } from './model.ts';

/** What a test does with a question in place of the good answer; `false` lets it be answered. Questions are counted from 1. */
export type Misdeed = (stream: ServerHttp2Stream, question: number, good: Uint8Array) => boolean;

/** A running server. */
export interface GrpcTestServer {
  /** Address of the model. */
  readonly url: string;
  /** Questions come to nothing here. */
  misdeed: Misdeed | undefined;
  readonly received: {
    questions: number;
    connections: number;
    readonly batches: number[];
    readonly authorizations: (string | undefined)[];
  };
  /** Ends all connections in order (GOAWAY), and resolves when they are gone. */
  disconnect(): Promise<void>;
  stop(): Promise<void>;
}

/** The headers of a good answer. */
export const GRPC_HEADERS = { ':status': 200, 'content-type': 'application/grpc' } as const;

/** A message with its prefix. */
export function framedMessage(pieces: readonly Uint8Array[]): Buffer {
  const message = Buffer.concat(pieces);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** Ends a call with a code alone. */
export function refuseCall(stream: ServerHttp2Stream, code: number, message = '', more: object = {}): true {
  // Whoever asked may have gone.
  if (stream.destroyed) return true;
  stream.respond(
    { ...GRPC_HEADERS, 'grpc-status': code, 'grpc-message': encodeURI(message), ...more },
    { endStream: true },
  );
  return true;
}

/** Answers with these bytes and the code 0. */
export function answerCall(stream: ServerHttp2Stream, bytes: Uint8Array): true {
  if (stream.destroyed) return true;
  stream.respond(GRPC_HEADERS, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': 0 }));
  stream.end(bytes);
  return true;
}

/** A gRPC server of the Open Inference Protocol on this machine that answers from a function, and misbehaves on request. */
export async function startGrpcServer(model: ServedModel): Promise<GrpcTestServer> {
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer();
  const running: GrpcTestServer = {
    url: '',
    misdeed: undefined,
    received: { questions: 0, connections: 0, batches: [], authorizations: [] },
    async disconnect() {
      await Promise.all(
        [...sessions].map(
          (session) =>
            new Promise<void>((resolve) => {
              session.once('close', resolve);
              session.close();
            }),
        ),
      );
    },
    async stop() {
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  const { received } = running;
  const answered = async (stream: ServerHttp2Stream, path: string, message: Uint8Array) => {
    if (path === GRPC_METHODS.ModelMetadata)
      return answerCall(stream, framedMessage(encodeGrpcModelMetadata(metadataOf(model))));
    const question = ++received.questions;
    const { request } = decodeGrpcInferRequest(message);
    const refusal = refusalOf(model, request);
    if (refusal) return refuseCall(stream, refusal.status === 413 ? 8 : 3, refusal.text);
    const good = framedMessage(
      encodeGrpcInferResponse({
        modelName: namesOf(model).name,
        ...(request.id !== undefined && { id: request.id }),
        outputs: [await answerOf(model, request, question)],
      }),
    );
    if (running.misdeed?.(stream, question, good)) return true;
    received.batches.push(request.inputs[0]!.shape[0]!);
    return answerCall(stream, good);
  };
  server.on('session', (session) => {
    received.connections++;
    sessions.add(session);
    session.on('error', () => {});
    session.on('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, headers) => {
    received.authorizations.push(headers.authorization);
    const pieces: Buffer[] = [];
    stream.on('error', () => {});
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('end', () => {
      answered(stream, headers[':path'] ?? '', Buffer.concat(pieces).subarray(5)).catch((thrown: Error) =>
        refuseCall(stream, 13, thrown.message),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(running, { url: `grpc://127.0.0.1:${port}/v2/models/${namesOf(model).name}` });
}
