/** Runs graphs off the calling thread, and what an attacker sees of a model. */
export { f32, type HostData, type HostTensor, i64 } from './array.ts';
export { availableDevices, DEVICES, type Device, deviceFrom } from './device.ts';
export { type Engine, type EngineOptions, type Session, startEngine } from './engine.ts';
export { openPredictor, type Predictor, type PredictorOptions } from './predictor.ts';
export {
  openTarget,
  type QueryCount,
  type TargetGraph,
  type TargetOptions,
  type WhiteBoxTarget,
} from './target.ts';
