import { GlacisError } from '../../core/error.ts';
import { adaptDataset, openDataset } from '../../data/index.ts';
import type { Scored } from '../calibration/confidences.ts';
import type { Loaded, LoadOptions } from '../load.ts';
import { logScores } from '../log-scores.ts';
import { type Generalisation, generalisationOf } from './generalisation.ts';

/** Samples that are asked about at most on each side: enough for a gap of a few points. */
const MOST = 5000;

/** Samples in one chunk. */
const CHUNK = 512;

/**
 * Asks the model about its training data, stored like the test data, and holds the answers against those on the test data: up to 5,000
 * samples on each side, and of the training data at least 1,000 where there are as many.
 * Errors: those of reading; `data/mismatch` where both are the same data or there are no labels; `model/unsupported-task` for a model that
 * does not answer with classes.
 */
export async function askAboutMembers(
  loaded: Loaded,
  members: string,
  options: Pick<LoadOptions, 'target' | 'imageSize' | 'range' | 'layout' | 'shuffle' | 'signal' | 'most'>,
): Promise<Generalisation> {
  const { task, source, adapted, subject, labels } = loaded;
  if (task !== 'classification' && task !== 'binary')
    throw new GlacisError(
      'model/unsupported-task',
      `--members: expected a model that answers with classes, got ${task}`,
    );
  const { signal, target, imageSize, range, layout, shuffle } = options;
  const dataset = await openDataset(members, {
    ...(signal && { signal }),
    ...(target !== undefined && { target }),
    ...(imageSize && { imageSize }),
  });
  try {
    const n = Math.min(dataset.n, options.most ?? MOST, MOST, Math.max(1000, adapted.n));
    const inside = await adaptDataset(
      dataset,
      { ...source.input, dtype: 'float32' },
      { n, ...(shuffle !== undefined && { shuffle }), ...(range && { range }), ...(layout && { layout }) },
      signal,
    );
    if (inside.digest === adapted.digest)
      throw new GlacisError(
        'data/mismatch',
        '--members: expected the training data, got the same data as --data; nothing could be told apart',
      );
    if (!inside.labels) throw new GlacisError('data/mismatch', '--members: expected labels, found none');
    const ask = async (data: typeof adapted, right: ArrayLike<number>, count: number): Promise<Scored> => {
      const logits = new Float32Array(count * subject.classes);
      for (let at = 0; at < count; at += CHUNK) {
        const { x, count: rows } = await data.read(at, Math.min(CHUNK, count - at), signal);
        const outputs = await subject.predictor.predict(x, rows, signal);
        logits.set(logScores(subject, outputs), at * subject.classes);
      }
      return { logits, labels: Array.from(right).slice(0, count), classes: subject.classes };
    };
    const known = await ask(inside, inside.labels, inside.n);
    return generalisationOf(known, await ask(adapted, labels, Math.min(adapted.n, MOST)));
  } finally {
    await dataset.close();
  }
}
