import type { MonitorSetting } from '../monitor.ts';
import { calibrateWindowed } from './calibrate-windowed.ts';
import { columnsTest } from './columns-test.ts';
import type { DriftKind } from './drift-kind.ts';
import { callerOf } from './rows.ts';
import { openWindowed } from './windowed.ts';
import { type WindowedOptions, windowedOptions } from './windowed-options.ts';
import type { WindowedSubject } from './windowed-subject.ts';

/** Rows of sketches; the subject of every monitor that looks at inputs. */
export function sketchSubject(
  name: string,
  { features }: Pick<MonitorSetting, 'features'>,
): Pick<WindowedSubject, 'name' | 'width' | 'features' | 'take' | 'runs'> {
  const width = features.length;
  return {
    name,
    features,
    runs: 'inputs',
    width: width > 0 ? width : 'inputs of this model are not sketched',
    take(sighting, offer) {
      const { sketch } = sighting;
      if (sketch === undefined || sketch.width !== width) return;
      const caller = callerOf(sighting);
      for (let row = 0; row < sketch.rows; row++)
        offer(sketch.values, row * width, caller, sighting.id, sighting.at);
    },
  };
}

function subjectOf(setting: Pick<MonitorSetting, 'features'>): WindowedSubject {
  const { features } = setting;
  return {
    ...sketchSubject('input-drift', setting),
    test: (calm) => columnsTest(calm, { names: features }),
    title: (what) => `inputs moved: ${what}`,
    advice: 'Whether the model is still right on such inputs only labels can say.',
  };
}

/** Each feature of the inputs by itself: Kolmogorov-Smirnov for numbers, χ² for categories, corrected for their number; NaN and standing still apart. */
export const inputDrift: DriftKind<WindowedOptions> = {
  name: 'input-drift',
  about: 'Features of the inputs that are not as in calm traffic, one by one.',
  options: windowedOptions(),
  make: (options, setting) => openWindowed(subjectOf(setting), options, setting),
  calibrate: (options, setting, more) => calibrateWindowed(subjectOf(setting), options, setting, more),
};
