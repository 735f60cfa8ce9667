import { Server, ServerCredentials } from '@grpc/grpc-js';
import {
  decodeGrpcInferRequest,
  encodeGrpcInferResponse,
  encodeGrpcModelMetadata,
  GRPC_METHODS,
} from '../../../oip/grpc/index.ts';
import type { InferResponse } from '../../../oip/response.ts';
import { DOUBLING, doubled } from './upstream.fixture.ts';

/** A server as {@link testUpstream}'s, over gRPC. */
export interface TestGrpcUpstream {
  readonly port: number;
  readonly url: string;
  /** What was called, in order. */
  readonly methods: readonly string[];
  stop(): void;
}

const PLAIN = {
  requestSerialize: (bytes: Buffer) => bytes,
  requestDeserialize: (bytes: Buffer) => bytes,
  responseSerialize: (bytes: Buffer) => bytes,
  responseDeserialize: (bytes: Buffer) => bytes,
};
const unary = (path: string) => ({ path, requestStream: false, responseStream: false, ...PLAIN });

/** Starts it; `answer` may change the good answer, or give none at all. */
export async function testGrpcUpstream(
  answer: (good: InferResponse) => InferResponse | undefined,
  options: { readonly port?: number; readonly credentials?: ServerCredentials } = {},
): Promise<TestGrpcUpstream> {
  const { credentials = ServerCredentials.createInsecure() } = options;
  const server = new Server();
  const methods: string[] = [];
  server.addService(
    { metadata: unary(GRPC_METHODS.ModelMetadata), infer: unary(GRPC_METHODS.ModelInfer) },
    {
      metadata: (_: unknown, done: (error: null, answer: Buffer) => void) => {
        methods.push('metadata');
        done(null, Buffer.concat(encodeGrpcModelMetadata(DOUBLING)));
      },
      infer: (call: { request: Buffer }, done: (error: null, answer?: Buffer) => void) => {
        methods.push('infer');
        const said = answer(doubled(decodeGrpcInferRequest(call.request).request));
        if (said) done(null, Buffer.concat(encodeGrpcInferResponse(said)));
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`127.0.0.1:${options.port ?? 0}`, credentials, (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  const scheme = credentials._isSecure() ? 'grpcs' : 'grpc';
  return {
    port,
    methods,
    url: `${scheme}://127.0.0.1:${port}/v2/models/double`,
    stop: () => server.forceShutdown(),
  };
}
