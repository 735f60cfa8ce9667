import { useRef } from 'preact/hooks';
import { useLive } from '../data/live.ts';
import { pathTo } from './router.tsx';
import { said } from './toast.tsx';

/** Milliseconds after its opening within which a case counts as new; both times are the server's. */
const NEW = 60_000;

/** Titles of cases that this page opens: whoever opens one is told by the answer. */
const ours = new Set<string>();

/** Opens a case of that title by `act`, which gives whether it is a new one; it is not said like those that others open. */
export async function openOurs<T extends { readonly isNew: boolean }>(
  title: string,
  act: () => Promise<T>,
): Promise<T> {
  ours.add(title);
  const forget = () => ours.delete(title);
  try {
    const opened = await act();
    if (!opened.isNew) forget();
    // The event of it may come after the answer, or never.
    else setTimeout(forget, NEW);
    return opened;
  } catch (thrown) {
    forget();
    throw thrown;
  }
}

/** Says each case that is opened while the page is, once: seen, and heard by who uses a screen reader. */
export function useNewCases(): void {
  const known = useRef(new Set<string>());
  useLive((event) => {
    if (event.kind !== 'case' || known.current.has(event.case.id)) return;
    const { id, title, severity, opened, updated } = event.case;
    known.current.add(id);
    if (ours.delete(title)) return;
    if (updated - opened < NEW) said(`New case, ${severity}: ${title}`, pathTo('cases', id));
  });
}
