/** Detectors: what is strange about one request, or about what a client asks over time. Guards, calibration and monitors use them. */

export { readCalibration } from './calibration/read-calibration.ts';
export { CALIBRATION_SCHEMA, type Calibration } from './calibration/schema.ts';
export type { Alarm, ClientDetector, ClientMemory, ClientWatch } from './clients/client-detector.ts';
export { CLIENT_DETECTORS } from './clients/client-parts.ts';
export type { Detector, Observations, Scorer, Watched } from './detector.ts';
export { DETECTORS } from './detectors.ts';
