import { useRef } from 'preact/hooks';
import { useLive } from '../data/live.ts';
import { pathTo } from './router.tsx';
import { said } from './toast.tsx';

/** Milliseconds after its opening within which a case counts as new; both times are the server's. */
const NEW = 60_000;

/** Says each case that is opened while the page is, once: seen, and heard by who uses a screen reader. */
export function useNewCases(): void {
  const known = useRef(new Set<string>());
  useLive((event) => {
    if (event.kind !== 'case' || known.current.has(event.case.id)) return;
    const { id, title, severity, opened, updated } = event.case;
    known.current.add(id);
    if (updated - opened < NEW) said(`New case, ${severity}: ${title}`, pathTo('cases', id));
  });
}
