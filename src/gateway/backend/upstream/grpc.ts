import { isIP } from 'node:net';
import { type ChannelOptions, Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { asGlacisError, GlacisError } from '../../../core/error.ts';
import {
  decodeGrpcInferResponse,
  decodeGrpcModelMetadata,
  encodeGrpcInferRequest,
  encodeGrpcModel,
  GRPC_METHODS,
} from '../../../oip/grpc/index.ts';
import type { TlsMaterial } from './http-once.ts';
import type { Networks } from './networks.ts';
import { type Sending, type Transport, UpstreamFailure } from './transport.ts';

/** Which model on which server. */
export interface GrpcTarget {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  readonly model: string;
  readonly version: string | undefined;
  readonly authorization: () => string | undefined;
  /** Most bytes of an answer. */
  readonly most: number;
}

/** Statuses that tell of the request and not of the server. */
const REJECTED = new Set<number>([
  status.INVALID_ARGUMENT,
  status.FAILED_PRECONDITION,
  status.OUT_OF_RANGE,
  status.INTERNAL,
  status.ALREADY_EXISTS,
  status.ABORTED,
]);

/**
 * A model behind gRPC. The server's name is resolved here, and the connection goes to the address that was allowed; after it broke, the name is resolved anew. No
 * proxy of the environment, no service configuration from DNS, no retries by the library.
 */
export function grpcTransport(target: GrpcTarget, networks: Networks, tls: TlsMaterial): Transport {
  const { model, version, most } = target;
  let channel: Promise<Client> | undefined;
  const connect = async (): Promise<Client> => {
    const address = await networks.resolve(target.host).catch((thrown) => {
      throw new UpstreamFailure('unsent', asGlacisError(thrown, 'endpoint/unavailable', 'upstream').message);
    });
    const where = address.includes(':')
      ? `ipv6:[${address}]:${target.port}`
      : `ipv4:${address}:${target.port}`;
    const options: ChannelOptions = {
      'grpc.enable_http_proxy': 0,
      'grpc.enable_retries': 0,
      'grpc.service_config_disable_resolution': 1,
      'grpc.max_receive_message_length': most,
      'grpc.max_send_message_length': -1,
      'grpc.default_authority': `${target.host}:${target.port}`,
      // The library must not wait longer for a server that is back than the circuit does.
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1_000,
      ...(target.secure && isIP(target.host) === 0 && { 'grpc.ssl_target_name_override': target.host }),
    };
    const trust = target.secure
      ? credentials.createSsl(tls.ca ?? null, tls.key ?? null, tls.cert ?? null)
      : credentials.createInsecure();
    return new Client(where, trust, options);
  };
  /** The next request connects anew; another request may have done so already. */
  const drop = (broken = channel): void => {
    void broken?.then((client) => client.close()).catch(() => {});
    if (channel === broken) channel = undefined;
  };
  const metadata = (traceparent: string | undefined): Metadata => {
    const made = new Metadata();
    const authorization = target.authorization();
    if (authorization !== undefined) made.set('authorization', authorization);
    if (traceparent !== undefined) made.set('traceparent', traceparent);
    return made;
  };

  const call = async <T>(
    method: string,
    message: readonly Uint8Array[],
    read: (bytes: Uint8Array) => T,
    { signal, timeout, traceparent }: Sending,
  ): Promise<T> => {
    channel ??= connect();
    const used = channel;
    const client = await used.catch((thrown) => {
      drop(used);
      throw thrown;
    });
    const bytes = await new Promise<Uint8Array>((resolve, reject) => {
      if (signal.aborted) return reject(new UpstreamFailure('gone', 'the caller has gone'));
      const cancel = () => running.cancel();
      const running = client.makeUnaryRequest(
        method,
        (chunks: readonly Uint8Array[]) => Buffer.concat(chunks),
        (answer: Buffer) => answer as Uint8Array,
        message,
        metadata(traceparent),
        { deadline: Date.now() + timeout },
        (error, answer) => {
          signal.removeEventListener('abort', cancel);
          if (error) reject(failureOf(error, signal));
          else resolve(answer!);
        },
      );
      signal.addEventListener('abort', cancel, { once: true });
    }).catch((failure: UpstreamFailure) => {
      if (failure.kind === 'unsent' || failure.kind === 'failed') drop(used);
      throw failure;
    });
    try {
      return read(bytes);
    } catch (thrown) {
      throw new UpstreamFailure(
        'bad-answer',
        asGlacisError(thrown, 'endpoint/bad-answer', 'upstream').message,
        { cause: thrown },
      );
    }
  };
  return {
    metadata: (sending) =>
      call(
        GRPC_METHODS.ModelMetadata,
        encodeGrpcModel({ model, version }),
        (bytes) => decodeGrpcModelMetadata(bytes, 'upstream'),
        sending,
      ),
    infer(request, sending) {
      let message: readonly Uint8Array[];
      try {
        message = encodeGrpcInferRequest({ model, version, request });
      } catch (thrown) {
        if (!(thrown instanceof GlacisError)) throw thrown;
        return Promise.reject(new UpstreamFailure('rejected', thrown.message));
      }
      return call(
        GRPC_METHODS.ModelInfer,
        message,
        (bytes) => decodeGrpcInferResponse(bytes, 'upstream'),
        sending,
      );
    },
    close: () => drop(),
  };
}

/** Details are the library's or the server's: only the first says anything here, and none is shown. */
function failureOf(error: ServiceError, signal: AbortSignal): UpstreamFailure {
  const { code, details } = error;
  if (signal.aborted) return new UpstreamFailure('gone', 'the caller has gone');
  if (code === status.DEADLINE_EXCEEDED) return new UpstreamFailure('timeout', 'no answer in time');
  if (code === status.UNAVAILABLE && /^No connection established/.test(details))
    return new UpstreamFailure('unsent', 'no connection');
  if (code === status.RESOURCE_EXHAUSTED && /^Received message larger/.test(details))
    return new UpstreamFailure('bad-answer', 'an answer that is too large');
  return new UpstreamFailure(REJECTED.has(code) ? 'rejected' : 'failed', `status ${status[code] ?? code}`);
}
