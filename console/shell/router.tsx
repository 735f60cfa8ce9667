import type { ComponentChildren } from 'preact';
import { createStore, useStore } from '../data/store.ts';

/** Where the gateway serves the pages. */
export const BASE = '/console';

/** Where the person is: the page's path without {@link BASE}, and what follows `?`. */
export interface Place {
  readonly path: string;
  readonly query: URLSearchParams;
}

const place = createStore<Place>({ path: '/', query: new URLSearchParams() });

/** Follows the browser's address from now on. */
export function openRouter(): void {
  read();
  addEventListener('popstate', read);
}

/** Where the person is; the component is drawn again when that changes. */
export function usePlace(): Place {
  return useStore(place);
}

/** Goes to a path such as `/cases/C-2026-0007?tab=impact`. `replace`: the way back does not lead here. */
export function go(to: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  const before = place.get().path;
  history[replace ? 'replaceState' : 'pushState'](null, '', `${BASE}${to}`);
  read();
  if (place.get().path !== before) scrollTo(0, 0);
}

/** The same page with other parameters: what a person filtered by is part of the address. `undefined` and `''` leave one out. */
export function setQuery(changes: Readonly<Record<string, string | undefined>>, replace = true): void {
  const { path, query } = place.get();
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === '') next.delete(name);
    else next.set(name, value);
  }
  const text = next.toString();
  go(text === '' ? path : `${path}?${text}`, { replace });
}

/** The parts of a path, decoded; one that cannot be decoded stays as it is. */
export function partsOf(path: string): readonly string[] {
  return path
    .split('/')
    .filter((part) => part !== '')
    .map((part) => {
      try {
        return decodeURIComponent(part);
      } catch {
        return part;
      }
    });
}

/** A path from parts that may hold anything. */
export function pathTo(...parts: readonly string[]): string {
  return `/${parts.map(encodeURIComponent).join('/')}`;
}

/** A link to a page of the console. Opened in another tab or window it is an ordinary link. */
export function Link({
  to,
  children,
  ...rest
}: {
  readonly to: string;
  readonly children: ComponentChildren;
  readonly class?: string;
  readonly title?: string;
  readonly 'aria-label'?: string;
  readonly 'aria-current'?: 'page' | undefined;
  readonly onMouseEnter?: () => void;
}) {
  return (
    <a
      {...rest}
      href={`${BASE}${to}`}
      onClick={(event) => {
        if (event.defaultPrevented || event.button !== 0) return;
        if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        go(to);
      }}
    >
      {children}
    </a>
  );
}

function read(): void {
  const path = location.pathname.startsWith(`${BASE}/`) ? location.pathname.slice(BASE.length) : '/';
  place.set({ path, query: new URLSearchParams(location.search) });
}
