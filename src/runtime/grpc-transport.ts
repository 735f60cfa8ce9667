import {
  decodeGrpcInferResponse,
  decodeGrpcModelMetadata,
  encodeGrpcInferRequest,
  encodeGrpcModel,
  GRPC_METHODS,
} from '../oip/grpc/index.ts';
import type { GrpcAddress } from './endpoint-address.ts';
import { type EndpointTransport, METADATA_BYTES } from './endpoint-transport.ts';
import { grpcConnection } from './grpc-connection.ts';

/** The protocol over gRPC, where tensors have one form. `where` begins the messages. */
export function grpcTransport(
  { origin, model, version }: GrpcAddress,
  where: string,
  headers: Readonly<Record<string, string>>,
): EndpointTransport {
  const connection = grpcConnection(origin, where, headers);
  const description = encodeGrpcModel({ model, version });
  return {
    format: 'binary',
    describe: (signal) =>
      connection.call(
        { path: GRPC_METHODS.ModelMetadata, message: description, maxBytes: METADATA_BYTES },
        signal,
      ),
    metadataOf: ({ body }) => decodeGrpcModelMetadata(body, where),
    infer(request, _format, maxBytes) {
      const message = encodeGrpcInferRequest({ model, version, request });
      return (signal) => connection.call({ path: GRPC_METHODS.ModelInfer, message, maxBytes }, signal);
    },
    answerOf: ({ body }) => decodeGrpcInferResponse(body, where),
    isBinary: () => true,
    close: () => connection.close(),
  };
}
