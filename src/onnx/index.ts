/** ONNX models as data: read, check, describe, rewrite, build and write them. Nothing is run here. */

export { OPSET_RANGE } from './check.ts';
export { type DescribedValue, describeModel, type ModelDescription, type OperatorCount } from './describe.ts';
export { byteLength, DTYPE_CODES, type DType } from './dtype.ts';
export { externalTensors, type LoadOptions, loadExternal, loadTensor } from './external-data.ts';
export { inlineFunctions } from './functions.ts';
export { DEFAULT_LIMITS, type Limits } from './limits.ts';
export { type Mapping, mapModel, mapTensors } from './map-model.ts';
export type {
  Attribute,
  Dim,
  FunctionDefinition,
  Graph,
  Model,
  Node,
  ValueInfo,
  ValueType,
} from './model.ts';
export {
  type FileInfo,
  type ModelFile,
  parseModel,
  type ReadFileOptions,
  type ReadOptions,
  readModel,
} from './read.ts';
export {
  boolTensor,
  type ExternalData,
  elementCount,
  float32Tensor,
  int64Tensor,
  numbersOf,
  type Tensor,
  tensorFrom,
} from './tensor.ts';
export { type Float32Model, type Float32Options, type InterfaceNote, toFloat32 } from './to-float32.ts';
export { allGraphs, allNodes, subgraphsOf } from './walk.ts';
export { serializeModel, type WriteOptions, writeModel } from './write.ts';
