import { GlacisError } from '../../core/error.ts';
import { mergeOptions, parseSpecs, type Spec, suggestion } from '../../core/options.ts';
import { bitDepth } from './bit-depth.ts';
import type { Defence } from './defence.ts';
import { gaussian } from './gaussian.ts';
import { jpeg } from './jpeg.ts';
import { median } from './median.ts';
import { noise } from './noise.ts';
import { resizePad } from './resize-pad.ts';
import { totalVariation } from './total-variation.ts';

/** Every defence at the input, A to Z. */
export const DEFENCES: readonly Defence<object>[] = [
  erased(bitDepth),
  erased(gaussian),
  erased(jpeg),
  erased(median),
  erased(noise),
  erased(resizePad),
  erased(totalVariation),
];

/** A defence together with its merged and checked options. */
export interface PlannedDefence {
  readonly defence: Defence<object>;
  readonly options: object;
}

/** Finds the defence that `spec` names and merges its options. Errors: `option/unknown`, `option/invalid`. */
export function planDefence(spec: Spec): PlannedDefence {
  const defence = DEFENCES.find(({ id }) => id === spec.name);
  if (!defence) {
    const names = DEFENCES.map(({ id }) => id);
    throw new GlacisError(
      'option/unknown',
      `defence: expected ${names.join(', ')}, got '${spec.name}'${suggestion(spec.name, names)}`,
    );
  }
  const options = mergeOptions(defence.id, defence.defaults, spec.options);
  defence.check(options);
  return { defence, options };
}

/** Reads `bit-depth(bits=4), jpeg(quality=75)`. Errors: `option/unknown`, `option/invalid`. */
export function planDefences(text: string): readonly PlannedDefence[] {
  return parseSpecs(text).map(planDefence);
}

/** The defence as {@link planDefences} reads it, with all its options. */
export function describeDefence({ defence, options }: PlannedDefence): string {
  const listed = Object.entries(options).map(([key, value]) => `${key}=${value}`);
  return `${defence.id}(${listed.join(', ')})`;
}

/** A defence among others: its options have been merged with its own defaults, so its own type fits them. */
function erased<Options extends object>(defence: Defence<Options>): Defence<object> {
  return defence as unknown as Defence<object>;
}
