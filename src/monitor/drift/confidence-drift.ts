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
    name: 'confidence-drift',
    features: ['confidence'],
    width: classes === undefined ? 'the model is no classifier' : 1,
    take: takeTop('score'),
    runs: 'moments',
    test: (calm) => columnsTest(calm, { names: ['confidence'] }),
    title: () => 'the model is less or more sure than it was',
    advice:
      'Less sure is what unfamiliar inputs look like, more sure what a changed model or crafted inputs can look like.',
  };
}

/** The score of the likeliest class (Kolmogorov-Smirnov). */
export const confidenceDrift: DriftKind<WindowedOptions> = {
  name: 'confidence-drift',
  about: 'Scores of the answers that are not as in calm traffic.',
  options: windowedOptions({ most: 2000 }),
  make: (options, setting) => openWindowed(subjectOf(setting), options, setting),
  calibrate: (options, setting, more) => calibrateWindowed(subjectOf(setting), options, setting, more),
};
