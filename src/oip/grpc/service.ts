/**
 * The part of `inference.GRPCInferenceService` that the protocol has; servers add verbs of their own, which are none of ours.
 * Source: https://github.com/kserve/open-inference-protocol (specification/protocol/open_inference_grpc.proto).
 */
export const GRPC_METHODS = {
  ServerLive: '/inference.GRPCInferenceService/ServerLive',
  ServerReady: '/inference.GRPCInferenceService/ServerReady',
  ModelReady: '/inference.GRPCInferenceService/ModelReady',
  ServerMetadata: '/inference.GRPCInferenceService/ServerMetadata',
  ModelMetadata: '/inference.GRPCInferenceService/ModelMetadata',
  ModelInfer: '/inference.GRPCInferenceService/ModelInfer',
} as const;

/** A method of the service. */
export type GrpcMethod = keyof typeof GRPC_METHODS;
