import { useEffect } from 'preact/hooks';

/** Milliseconds after `g` during which a key means a page. */
const WAITS = 1200;

/** Keys that decide, while nobody writes, no window is open, and they do not mean a page (after `g`). */
export function useKeys(active: boolean, acts: Readonly<Record<string, () => void>>): void {
  useEffect(() => {
    if (!active) return;
    let second = Number.NEGATIVE_INFINITY;
    const pressed = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (document.querySelector('dialog[open]') !== null) return;
      if (event.target instanceof HTMLElement && event.target.closest('input,textarea,select')) return;
      if (event.key === 'g') second = event.timeStamp;
      else if (event.timeStamp - second >= WAITS) acts[event.key]?.();
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  });
}
