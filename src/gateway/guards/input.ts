import { z } from 'zod';
import { GlacisError } from '../../core/error.ts';
import { guardCalibrationFrom } from '../../detect/calibration/read-calibration.ts';
import { firstNotFinite } from '../../detect/input/not-finite.ts';
import { plainFault } from '../../detect/input/plain-faults.ts';
import type { GuardKind } from '../guard.ts';

const options = z.strictObject({
  range: z
    .tuple([z.number(), z.number()])
    .optional()
    .describe(
      'Least and greatest value of the main input, e.g. [0, 1]; that of the calm samples where the model was calibrated on data that have one, else any finite value.',
    ),
  constant: z.boolean().default(true).describe('Refuses samples of 16 values or more that are all equal.'),
  denormal: z
    .number()
    .min(0)
    .max(1)
    .default(0.01)
    .describe('The share of a sample that may be denormal numbers, on which kernels are slow; 1 for any.'),
});

/**
 * Refuses what no honest input is: NaN and infinities in any input, values out of range, blank samples, samples full of denormal numbers. Sizes and types were held against the model's
 * metadata before. It needs no calibration and raises no false alarms on data that keep its rules. Cost: one pass over the inputs.
 */
export const inputGuard: GuardKind<z.output<typeof options>> = {
  name: 'input',
  about: 'Refuses NaN, infinities, values out of range, blank samples, and samples full of denormal numbers.',
  options,
  make({ range: given, constant, denormal }, { calibration }) {
    const range = given ?? rangeIn(calibration);
    if (range && !(range[0] < range[1]))
      throw new GlacisError(
        'option/invalid',
        'guard input: expected a range with the lower value first, got another',
      );
    const limits = { range, constant, denormal };
    return {
      name: 'input',
      phase: 'before',
      judge({ inputs, classifier, n, floats }) {
        for (const tensor of inputs) {
          const at = firstNotFinite(tensor);
          if (at >= 0)
            return {
              action: 'refuse',
              score: 1,
              because: `input ${tensor.name}: element ${at} is not finite`,
            };
        }
        const x = classifier && floats();
        if (x === undefined) return { action: 'pass', score: 0 };
        const size = x.length / n;
        if (!Number.isInteger(size))
          return { action: 'refuse', score: 1, because: `${x.length} values are no ${n} samples` };
        for (let i = 0; i < n; i++) {
          const fault = plainFault(x, i * size, size, limits);
          if (fault !== undefined) return { action: 'refuse', score: 1, because: `sample ${i}: ${fault}` };
        }
        return { action: 'pass', score: 0 };
      },
    };
  },
};

/** The range of the data that the model was calibrated on, and what rounding may add; undefined where there is none. */
function rangeIn(calibration: unknown): readonly [number, number] | undefined {
  if (calibration === undefined) return undefined;
  const { range } = guardCalibrationFrom('input', calibration).watched;
  if (range === undefined) return undefined;
  const slack = 1e-6 * (range[1] - range[0]);
  return [range[0] - slack, range[1] + slack];
}
