import { useEffect, useRef } from 'preact/hooks';
import type { LiveEvent } from '../../src/gateway/console/api.ts';
import { session } from './session.ts';
import { createStore } from './store.ts';

/** Whether events arrive: `lost` after a break, until the next try succeeds. */
export const connection = createStore<'off' | 'connecting' | 'live' | 'lost'>('off');

type Listener = (event: LiveEvent) => void;
const listeners = new Set<Listener>();
const returns = new Set<() => void>();

/** Pause before the next try in milliseconds: doubled from 1 s to 30 s, less up to a third by chance, so that a hundred pages do not come back at once. */
export function pauseBefore(attempt: number, chance: number): number {
  return Math.round(Math.min(30_000, 1000 * 2 ** Math.min(attempt, 10)) * (1 - chance / 3));
}

/** Listens to the stream of events until the returned function is called. */
export function openLive(make: (url: string) => EventSource = (url) => new EventSource(url)): () => void {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let attempt = 0;
  let wasLost = false;
  const open = (): void => {
    if (connection.get() !== 'lost') connection.set('connecting');
    source = make('/api/events');
    source.onopen = () => {
      attempt = 0;
      connection.set('live');
      // What happened in between was not heard: ask again.
      if (wasLost) for (const listener of [...returns]) listener();
      wasLost = false;
    };
    source.onmessage = ({ data }) => {
      const event = parse(data as string);
      if (event === undefined) return;
      if (event.kind === 'signed-out') {
        close();
        session.set(null);
        return;
      }
      for (const listener of [...listeners]) listener(event);
    };
    source.onerror = () => {
      source?.close();
      wasLost = true;
      connection.set('lost');
      timer = setTimeout(open, pauseBefore(attempt++, Math.random()));
    };
  };
  const hurry = (): void => {
    if (connection.get() !== 'lost') return;
    clearTimeout(timer);
    attempt = 0;
    open();
  };
  const close = (): void => {
    clearTimeout(timer);
    source?.close();
    removeEventListener('online', hurry);
    connection.set('off');
  };
  addEventListener('online', hurry);
  open();
  return close;
}

/** Calls the listener with each event until the returned function is called. */
export function onLive(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Calls the listener each time that the stream is back after a break. */
export function onReturn(listener: () => void): () => void {
  returns.add(listener);
  return () => returns.delete(listener);
}

/** Calls the listener with each event while the component is there. */
export function useLive(listener: Listener): void {
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => onLive((event) => latest.current(event)), []);
}

function parse(data: string): LiveEvent | undefined {
  try {
    const event = JSON.parse(data) as LiveEvent;
    return typeof event?.kind === 'string' ? event : undefined;
  } catch {
    return undefined;
  }
}
