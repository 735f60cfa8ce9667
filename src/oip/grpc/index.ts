/**
 * The messages of the protocol's gRPC service, for both sides, as pieces of bytes: framing and transport are the caller's. A codec of
 * our own, because a message is attacker-controlled and mostly tensors: nothing is allocated that the message's length does not
 * bound, and tensors are not copied on the way out.
 */
export {
  decodeGrpcInferRequest,
  encodeGrpcInferRequest,
  type GrpcInferRequest,
} from './infer-request.ts';
export { decodeGrpcInferResponse, encodeGrpcInferResponse } from './infer-response.ts';
export {
  decodeGrpcEmpty,
  decodeGrpcModel,
  decodeGrpcModelMetadata,
  decodeGrpcYes,
  encodeGrpcModel,
  encodeGrpcModelMetadata,
  encodeGrpcServerMetadata,
  encodeGrpcYes,
  type GrpcModel,
  type ServerMetadata,
} from './metadata.ts';
export { GRPC_METHODS, type GrpcMethod } from './service.ts';
