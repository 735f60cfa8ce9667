/**
 * Messages of the Open Inference Protocol v2 (KServe, Triton, MLServer, OpenVINO): reading and writing, for both sides. What is
 * read is hostile until shown otherwise.
 * Sources: https://github.com/kserve/open-inference-protocol (specification/protocol/inference_rest.md),
 * https://github.com/triton-inference-server/server (docs/protocol/extension_binary_data.md).
 */
export { dataToBytes } from './binary-data.ts';
export { DATATYPES, type DataOf, type Datatype, isDatatype, isFloatDatatype } from './datatype.ts';
export { encodeError, errorText } from './error-body.ts';
export * from './grpc/index.ts';
export type { Parameter, Parameters } from './json.ts';
export { type Incoming, JSON_LENGTH_HEADER, type Outgoing } from './message.ts';
export {
  decodeModelMetadata,
  encodeModelMetadata,
  type ModelMetadata,
  type TensorMetadata,
} from './metadata.ts';
export {
  decodeInferRequest,
  encodeInferRequest,
  type InferRequest,
  type RequestedOutput,
  wantsBinary,
} from './request.ts';
export { decodeInferResponse, encodeInferResponse, type InferResponse } from './response.ts';
export { floatsOf, floatTensor, type Tensor, type TensorOf } from './tensor.ts';
