import { useEffect, useRef } from 'preact/hooks';
import { isWriting, WAITS } from '../../shell/keys.ts';

/** Keys that decide, while nobody writes, no window is open, and they do not mean a page (after `g`, whatever is drawn anew meanwhile). */
export function useKeys(active: boolean, acts: Readonly<Record<string, () => void>>): void {
  const now = useRef(acts);
  now.current = acts;
  useEffect(() => {
    if (!active) return;
    let second = Number.NEGATIVE_INFINITY;
    const pressed = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (document.querySelector('dialog[open]') !== null || isWriting(event.target)) return;
      if (event.key === 'g') second = event.timeStamp;
      else if (event.timeStamp - second >= WAITS) now.current[event.key]?.();
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, [active]);
}
