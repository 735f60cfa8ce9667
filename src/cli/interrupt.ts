/** Signals that ask the program to stop, and how a result names them. */
const SIGNALS = { SIGINT: 'Ctrl-C', SIGTERM: 'the signal SIGTERM' } as const;

/**
 * Runs `work` with a signal that fires at the first Ctrl-C (or SIGTERM), so that it can save what it has; the second one
 * ends the process at once, as the signal would. `told` is called at the first.
 */
export async function interruptible<T>(
  work: (signal: AbortSignal) => Promise<T>,
  told: () => void,
): Promise<T> {
  const controller = new AbortController();
  const stop = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) {
      // Not `process.exit`: it waits for worker threads, and ONNX Runtime aborts when one ends in the middle of a run.
      process.removeAllListeners(name);
      process.kill(process.pid, name);
      return;
    }
    told();
    controller.abort(SIGNALS[name as keyof typeof SIGNALS]);
  };
  const names = Object.keys(SIGNALS) as NodeJS.Signals[];
  for (const name of names) process.on(name, stop);
  try {
    return await work(controller.signal);
  } finally {
    for (const name of names) process.off(name, stop);
  }
}
