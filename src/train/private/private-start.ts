import { GlacisError } from '../../core/error.ts';
import type { PrivacyRecord } from '../record.ts';
import type { StartingModel } from '../starting-model.ts';

/**
 * What the weights before the first step are, for the record. A model that was trained on the private samples gives them away however privately
 * it is trained on: so weights of a file are taken only on the user's word that they are public, and the same goes for arrays of
 * a file that drawing weights anew leaves as they are (tables of embeddings, means of normalisations).
 * Errors: `option/invalid`.
 *
 * @param isPublic the user's word that what the file holds was not learned from the private samples
 */
export function checkPrivateStart(
  { origin, kept }: StartingModel,
  isPublic: boolean,
): PrivacyRecord['start'] {
  if ('recipe' in origin || kept.length === 0) {
    if (isPublic)
      throw new GlacisError(
        'option/invalid',
        '--public-weights: expected weights of a file that are kept, got a network whose weights are all drawn anew',
      );
    return 'drawn';
  }
  if (isPublic) return 'said to be public';
  const few = kept.slice(0, 5).join(', ');
  throw new GlacisError(
    'option/invalid',
    origin.reinitialised
      ? `${origin.file}: expected weights that can all be drawn anew, got ${kept.length} arrays that stay as they are (${few}${kept.length > 5 ? ', …' : ''}); if these alone were not learned from the private samples, say so with --reinitialise and --public-weights together`
      : `${origin.file}: expected --reinitialise, which draws its weights anew, or --public-weights, your word that they were not learned from the private samples; got neither. A model that was trained on the samples gives them away, however privately it is trained on`,
  );
}
