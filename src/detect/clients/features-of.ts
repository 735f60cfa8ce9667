import { GlacisError } from '../../core/error.ts';
import type { Watched } from '../detector.ts';

/** Length of a row of features. Errors: `option/invalid` where the model gives none. */
export function featuresOf({ features }: Watched, id: string): number {
  if (features !== undefined) return features;
  throw new GlacisError(
    'option/invalid',
    `${id}: expected a model whose last layer's features are known, got one without`,
  );
}
