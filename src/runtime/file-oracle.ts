import { f32 } from './array.ts';
import { fitting } from './fitting.ts';
import type { Oracle } from './oracle.ts';
import type { WhiteBoxTarget } from './target.ts';

/** A model file as something that is only asked: its logits, at native speed. Errors: those of {@link WhiteBoxTarget.compile}. */
export function fileOracle(target: WhiteBoxTarget, batch: number): Oracle {
  const { sampleDims, classes } = target;
  const size = sampleDims.reduce((n, d) => n * d, 1);
  const most = target.fixedBatch ?? batch;
  return {
    sampleDims,
    classes,
    batch: most,
    parallel: 1,
    async ask(points, n) {
      const rows = target.fixedBatch ?? fitting(n, most);
      const session = await target.compile('logits', rows, ({ logits }) => ({ logits }));
      const feed = new Float32Array(rows * size);
      feed.set(points.subarray(0, n * size));
      const out = await session.run({ [target.input]: f32(feed, [rows, ...sampleDims]) });
      return (out.logits!.data as Float32Array).subarray(0, n * classes);
    },
    // The target is its owner's to close.
    close: async () => {},
  };
}
