import { wholeFrom } from '../../core/option-checks.ts';
import { parseSpecs } from '../../core/options.ts';
import { type Augment, cutout, flip, light, noise, shift } from '../augment.ts';
import { chosenBy } from './one-spec.ts';

/** Changes to samples by name; the first option may be given alone, as in `shift(2)`. */
export const AUGMENTS = {
  cutout: { side: 8 },
  flip: {},
  light: { reach: 0.2 },
  noise: { sigma: 0.1 },
  shift: { reach: 2, fill: 'edge' },
} as const;

/** Reads `shift(2), flip, cutout(8)`. Errors: `option/unknown`, `option/invalid`. */
export function planAugments(text: string): readonly Augment[] {
  const named = text.replace(
    /([a-z]+)\(\s*([^=(),]+?)\s*(?=[,)])/g,
    (_, name: string, value: string) => `${name}(${firstOption(name)}=${value}`,
  );
  return parseSpecs(named).map((spec) => {
    const { name, options } = chosenBy(spec, AUGMENTS, 'augment');
    const of = options as Record<string, number> & { fill: string };
    switch (name as keyof typeof AUGMENTS) {
      case 'cutout':
        wholeFrom(of, 'side', 1);
        return cutout(of.side!);
      case 'flip':
        return flip();
      case 'light':
        return light(of.reach!);
      case 'noise':
        return noise(of.sigma!);
      default:
        wholeFrom(of, 'reach', 0);
        return shift(of.reach!, of.fill === 'zero' ? 'zero' : 'edge');
    }
  });
}

/** The option that may be given alone; `value` for things that have none, which is then refused by name. */
function firstOption(name: string): string {
  const defaults = Object.hasOwn(AUGMENTS, name) ? AUGMENTS[name as keyof typeof AUGMENTS] : {};
  return Object.keys(defaults)[0] ?? 'value';
}
