import type { OutputGuard, OutputSetting } from '../output-guard.ts';
import type { GuardChoice } from './config-schema.ts';
import { labelOnly } from './label-only.ts';
import { poisoning } from './poisoning.ts';
import { reverseSigmoid } from './reverse-sigmoid.ts';
import { rounding } from './rounding.ts';
import { temperature } from './temperature.ts';
import { topK } from './top-k.ts';
import { watermark } from './watermark.ts';

/** Every output guard there is, A to Z. */
export const OUTPUT_GUARDS = [
  labelOnly,
  poisoning,
  reverseSigmoid,
  rounding,
  temperature,
  topK,
  watermark,
] as const;

/** The guard that `serve.answers` asks for. Errors: `option/invalid` where the model does not suit. */
export function outputGuardFrom(choice: GuardChoice, setting: OutputSetting): OutputGuard {
  switch (choice.kind) {
    case 'poisoning':
      return poisoning.make(choice, setting);
    case 'reverse-sigmoid':
      return reverseSigmoid.make(choice, setting);
    case 'temperature':
      return temperature.make(choice, setting);
  }
}
