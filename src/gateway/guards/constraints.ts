import { readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import { GlacisError } from '../../core/error.ts';
import { elementCount } from '../../onnx/tensor.ts';
import { rowConstraintFrom } from '../../threat/constraint/from-file.ts';
import type { Constraint } from '../../threat/constraint.ts';
import type { GuardKind } from '../guard.ts';

/** Bytes of a constraint file at most. */
const MOST_BYTES = 2 ** 20;

const options = z.strictObject({
  file: z
    .string()
    .min(1)
    .max(4096)
    .describe('Constraint file (docs/constraints.md) with what samples of the main input must satisfy.'),
  columns: z
    .array(z.string().min(1).max(1000))
    .max(65536)
    .optional()
    .describe("Names of a table's columns in the order of a row, where the constraint file uses names."),
  range: z
    .tuple([z.number(), z.number()])
    .optional()
    .describe('Least and greatest value of the main input, for the constraint 8-bit.'),
  action: z
    .enum(['flag', 'degrade', 'refuse'])
    .default('refuse')
    .describe('What happens to a request with a row that cannot be; flag to try a file out.'),
});

/**
 * Refuses samples that no real one looks like: rows whose columns are out of range or no whole numbers, one-hot groups without or with several ones, relations
 * and candles that do not hold, jumps beyond what the series does. Only what the constraint says of a row by itself counts: how far an attacker may move it has no
 * meaning for a request. Relations hold up to their tolerance and rounding, so give one where real rows miss them. Cost: one pass over the input.
 */
export const constraintsGuard: GuardKind<z.output<typeof options>> = {
  name: 'constraints',
  about: "Refuses rows and series that cannot be: a table's or series' constraint file says what can.",
  options,
  make({ file, columns, range, action }, { model }) {
    const { classifier } = model;
    if (classifier === undefined)
      throw new GlacisError(
        'option/invalid',
        `guard constraints: expected a classifier, got ${model.name}, which is none`,
      );
    const shape = classifier.sampleDims;
    const constraint = rowConstraintFrom(textOf(file), file, { shape, columns, range });
    const size = elementCount(shape);
    return {
      name: 'constraints',
      phase: 'before',
      judge({ n, floats }) {
        const x = floats();
        if (x?.length !== n * size)
          return { action: 'refuse', score: 1, because: 'the input has another size' };
        for (let i = 0; i < n; i++) {
          const broken = impossible(constraint, x, i * size, size);
          if (broken !== undefined) return { action, score: 1, because: `sample ${i}: ${broken}` };
        }
        return { action: 'pass', score: 0 };
      },
    };
  },
};

function impossible(constraint: Constraint, x: Float32Array, from: number, size: number): string | undefined {
  return constraint.impossible
    ? constraint.impossible(x, from, size)
    : constraint.violation(x, from, x, from, size);
}

function textOf(path: string): string {
  try {
    const { size } = statSync(path);
    if (size > MOST_BYTES)
      throw new GlacisError('data/too-large', `${path}: expected at most ${MOST_BYTES} bytes, got ${size}`);
    return readFileSync(path, 'utf8');
  } catch (thrown) {
    if (thrown instanceof GlacisError) throw thrown;
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new GlacisError('data/unreadable', `${path}: cannot be read: ${reason}`, { cause: thrown });
  }
}
