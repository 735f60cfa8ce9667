import type { CollectionScanner, Scanner } from '../scanner.ts';
import { jinjaScanner, jsonScanner, yamlScanner } from './config.ts';
import { ggufScanner } from './gguf.ts';
import { hdf5Scanner } from './keras-h5.ts';
import { onnxScanner } from './onnx.ts';
import { openvinoScanner } from './openvino.ts';
import { safetensorsScanner } from './safetensors.ts';
import { skopsScanner } from './skops.ts';
import { tensorflowScanner } from './tensorflow.ts';
import { tfliteScanner } from './tflite.ts';
import { ubjsonScanner } from './ubjson.ts';

/** Scanners of formats that hold a model or its configuration and are no pickle and no container. */
export const FORMAT_SCANNERS: readonly Scanner[] = [
  onnxScanner,
  safetensorsScanner,
  ggufScanner,
  tensorflowScanner,
  hdf5Scanner,
  tfliteScanner,
  openvinoScanner,
  skopsScanner,
  ubjsonScanner,
  jsonScanner,
  yamlScanner,
  jinjaScanner,
];

/** Scanners of such formats that are several files. */
export const FORMAT_COLLECTION_SCANNERS: readonly CollectionScanner[] = [];
