/** A loss has to fall below this share of what it was. */
const PROGRESS = 0.9999;

/**
 * Watches the loss of a run of `steps` steps: told the loss of each in turn, it says whether a tenth of the steps has brought no progress. The libraries
 * end a run once the loss of the whole batch is no lower than a tenth before. A single sample's loss goes up and down, so its mean over the
 * tenth may have fallen instead.
 */
export function stallWatch(steps: number): (loss: number) => boolean {
  const tenth = Math.ceil(steps / 10);
  let before = Number.POSITIVE_INFINITY;
  let meanBefore = Number.POSITIVE_INFINITY;
  let total = 0;
  let step = 0;
  return (loss) => {
    total += loss;
    if (step++ % tenth > 0) return false;
    const mean = total / (step === 1 ? 1 : tenth);
    const isProgress = loss <= PROGRESS * before || mean <= PROGRESS * meanBefore;
    before = loss;
    meanBefore = mean;
    total = 0;
    return !isProgress;
  };
}
