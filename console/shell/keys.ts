import { useEffect } from 'preact/hooks';
import { overlay } from './overlay.ts';
import { go } from './router.tsx';
import { ROUTES } from './routes.ts';

/** Milliseconds after `g` during which a key means a page. */
export const WAITS = 1200;

/** Keys that work everywhere, as shown by `?`. */
export const SHORTCUTS: readonly (readonly [keys: string, about: string])[] = [
  ['Ctrl K', 'find a page, a case, a client, a decision'],
  ['/', 'search on this page'],
  ['?', 'these keys'],
  ['j k', 'next and previous row of a list'],
  ['Enter', 'open the row'],
  ['Esc', 'close what is open'],
];

/** Listens to keys while the shell is there. None acts while somebody writes, or with a key that belongs to the browser. */
export function useShortcuts(): void {
  useEffect(() => {
    let second: number | undefined;
    const pressed = (event: KeyboardEvent): void => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k' && !event.altKey) {
        event.preventDefault();
        overlay.set('palette');
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return;
      if (document.querySelector('dialog[open]') !== null) return;
      if (second !== undefined && event.timeStamp - second < WAITS) {
        second = undefined;
        const route = ROUTES.find(({ key }) => key === event.key);
        if (route === undefined) return;
        event.preventDefault();
        go(`/${route.id}`);
      } else if (event.key === 'g') {
        second = event.timeStamp;
      } else if (event.key === '?') {
        overlay.set('keys');
      } else if (event.key === '/') {
        const search = document.querySelector<HTMLInputElement>('#content input[type=search]');
        event.preventDefault();
        if (search) search.focus();
        else overlay.set('palette');
      } else if (event.key === 'j' || event.key === 'k') {
        moveRow(event.key === 'j' ? 1 : -1);
      }
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, []);
}

/** Whether keys go into a field: then they mean nothing else. */
export function isWriting(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('input,textarea,select,[contenteditable]') !== null;
}

/** The focus goes to the link of the next row of the list that is seen. */
function moveRow(step: 1 | -1): void {
  const rows = [
    ...document.querySelectorAll<HTMLElement>('#content [data-row] a, #content a[data-row]'),
  ].filter(
    (each, i, all) =>
      all.findIndex((other) => other.closest('[data-row]') === each.closest('[data-row]')) === i,
  );
  const now = rows.findIndex((each) => each.closest('[data-row]')?.contains(document.activeElement));
  rows[Math.max(0, Math.min(rows.length - 1, now + step))]?.focus();
}
