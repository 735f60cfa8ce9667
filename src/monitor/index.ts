/** Monitors: what is strange over time about a model's traffic, live in a thread of its own or over past decisions. */

export { ALARM_KINDS, ALARM_SEVERITIES, type Alarm, type AlarmKind, type AlarmSeverity } from './alarm.ts';
export { type MonitorCalibration, readMonitorCalibration } from './calibration-file.ts';
export { type MonitorsConfig, monitorsSchema, monitorsSetting } from './config-schema.ts';
export { KINDS } from './hub/kinds.ts';
export type { MonitoredModel } from './hub/monitored-model.ts';
export { type Monitors, type MonitorsSurroundings, openMonitors } from './hub/open-monitors.ts';
export type { Monitor, MonitorKind, MonitorSetting, MonitorState } from './monitor.ts';
export { analysePast, type PastAnalysis, type PastSetting } from './past/analyse-past.ts';
export { calibratePast } from './past/calibrate-past.ts';
export { readLabels } from './past/labels-from-files.ts';
export { type Past, pastFromFile } from './past/open-past.ts';
export type { PastLabelCounts, PastLabels } from './past/tell-labels.ts';
export type { Sighting, Sketch, TrueLabel } from './sighting.ts';
export { planSketch, type SketchPlan } from './sketch/sketch-plan.ts';
