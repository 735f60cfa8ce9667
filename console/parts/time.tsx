import { useEffect, useState } from 'preact/hooks';
import { exact, relative } from './format.ts';

const watchers = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** Draws the component again every few seconds while it is there: one clock for all of them. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const tick = (): void => setNow(Date.now());
    watchers.add(tick);
    timer ??= setInterval(() => {
      if (document.visibilityState === 'visible') for (const each of [...watchers]) each();
    }, 5000);
    return () => {
      watchers.delete(tick);
      if (watchers.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    };
  }, []);
  return now;
}

/** A point in time: how long ago, and exactly on hover. */
export function Time({ at }: { readonly at: number | undefined }) {
  const now = useNow();
  if (at === undefined || !Number.isFinite(at) || Math.abs(at) > 8.64e15)
    return <span class="none">never</span>;
  return (
    <time dateTime={new Date(at).toISOString()} title={exact(at)}>
      {relative(at, Math.max(now, Date.now()))}
    </time>
  );
}
