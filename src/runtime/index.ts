/** Runs graphs off the calling thread, and what an attacker sees of a model. */
export { type Adapter, type AdapterAnswer, type AdapterOptions, openAdapter } from './adapter.ts';
export { f32, type HostData, type HostTensor, i64 } from './array.ts';
export { availableDevices, DEVICES, type Device, deviceFrom } from './device.ts';
export { isEndpoint } from './endpoint-address.ts';
export { type Engine, type EngineOptions, type Session, startEngine } from './engine.ts';
export type { Oracle } from './oracle.ts';
export type { Traffic } from './persistent-sender.ts';
export { openPredictor, type Predictor, type PredictorOptions } from './predictor.ts';
export { openRemote, type RemoteOracle } from './remote.ts';
export type { RemoteOptions, WireFormat } from './remote-options.ts';
export {
  openTarget,
  type QueryCount,
  type TargetGraph,
  type TargetOptions,
  type WhiteBoxTarget,
} from './target.ts';
