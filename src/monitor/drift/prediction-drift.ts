import type { MonitorSetting } from '../monitor.ts';
import { calibrateWindowed } from './calibrate-windowed.ts';
import { columnsTest } from './columns-test.ts';
import type { DriftKind } from './drift-kind.ts';
import { takeTop } from './take-top.ts';
import { openWindowed } from './windowed.ts';
import { type WindowedOptions, windowedOptions } from './windowed-options.ts';
import type { WindowedSubject } from './windowed-subject.ts';

function subjectOf({ classes }: Pick<MonitorSetting, 'classes'>): WindowedSubject {
  return {
    name: 'prediction-drift',
    features: ['class'],
    width: classes === undefined ? 'the model is no classifier' : 1,
    take: takeTop('class'),
    runs: 'moments',
    test: (calm) => columnsTest(calm, { names: ['class'], categories: true }),
    title: () => 'answers come in other proportions',
    advice: 'The world may hold other proportions now, or the model answers otherwise than it did.',
  };
}

/** How often each class is the answer (χ², small counts handled). */
export const predictionDrift: DriftKind<WindowedOptions> = {
  name: 'prediction-drift',
  about: 'Classes that the model answers more or less often than in calm traffic.',
  options: windowedOptions({ most: 2000 }),
  make: (options, setting) => openWindowed(subjectOf(setting), options, setting),
  calibrate: (options, setting, more) => calibrateWindowed(subjectOf(setting), options, setting, more),
};
