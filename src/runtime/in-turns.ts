/** Starts a batch; resolves, when it has its results, to what is to be done with them. */
export type Batch = () => Promise<() => void>;

/** How {@link inTurns} runs batches. */
export interface TurnOptions {
  /** Batches that may be under way at once. */
  readonly parallel: number;
  /**
   * Whether results are taken in the order in which batches were started, and the next batches made in between: then nothing depends on
   * the clock.
   */
  readonly inOrder: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Keeps batches under way until `next` has no more. `next` is asked for a batch whenever there is room for one and told how many are under
 * way; with `undefined` it waits for the results of those. After an error or when `signal` fires no further batch starts, and those under
 * way are waited for. Errors: the first of `next` or of a batch.
 */
export async function inTurns(
  { parallel, inOrder, signal }: TurnOptions,
  next: (underWay: number) => Batch | undefined,
): Promise<void> {
  const under = new Set<Promise<void>>();
  let latest: Promise<void> = Promise.resolve();
  let failure: { readonly thrown: unknown } | undefined;
  const take = async (batch: Batch, before: Promise<void>) => {
    try {
      const hear = await batch();
      if (inOrder) await before;
      if (!failure) hear();
    } catch (thrown) {
      failure ??= { thrown };
    }
  };
  const start = () => {
    try {
      while (!failure && !signal?.aborted && under.size < parallel) {
        const batch = next(under.size);
        if (!batch) return;
        const over: Promise<void> = take(batch, latest).then(() => {
          under.delete(over);
          start();
        });
        under.add(over);
        latest = over;
      }
    } catch (thrown) {
      failure ??= { thrown };
    }
  };
  start();
  while (under.size > 0) await Promise.race(under);
  if (failure) throw (failure as { readonly thrown: unknown }).thrown;
}
