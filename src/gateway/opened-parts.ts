/** The parts of something that is being opened, or is open. */
export interface OpenedParts {
  /** Remembers a part, which will be closed, and gives it back. */
  readonly keep: <T extends { close(): unknown }>(part: T) => T;
  /** Does a work again every so many milliseconds, until all is closed. It does not keep the process alive. */
  readonly again: (work: () => Promise<unknown>, every: number, failed: (thrown: unknown) => void) => void;
  /** Closes all that was kept since the last time, in the reverse order: what stands on a part is closed before it. */
  readonly closeAll: () => Promise<void>;
}

/** No parts yet. `failed` hears of parts that cannot be closed; the others are closed all the same. */
export function openedParts(failed: (where: string, thrown: unknown) => void): OpenedParts {
  const opened: { close(): unknown }[] = [];
  return {
    keep(part) {
      opened.push(part);
      return part;
    },
    again(work, every, workFailed) {
      const timer = setInterval(() => work().catch(workFailed), every);
      timer.unref();
      opened.push({ close: () => clearInterval(timer) });
    },
    async closeAll() {
      for (const part of opened.splice(0).reverse())
        try {
          await part.close();
        } catch (thrown) {
          failed('closing', thrown);
        }
    },
  };
}
