import { useCallback, useEffect, useMemo, useReducer, useRef } from 'preact/hooks';
import type { LiveEvent, Page } from '../../src/gateway/console/api.ts';
import { AskError, ask } from './ask.ts';
import { onLive, onReturn } from './live.ts';
import { session } from './session.ts';

/** What is known about a path's answer. */
export interface Query<T> {
  /** The newest answer; of the path before while a new path's first answer is on its way, then `stale`. */
  readonly data: T | undefined;
  readonly error: AskError | undefined;
  /** No answer yet. */
  readonly loading: boolean;
  /** What is shown may not be true any more: the last try failed, or it belongs to the question before. */
  readonly stale: boolean;
  /** When the answer came. */
  readonly at: number | undefined;
  refresh(): void;
}

interface Held {
  data: unknown;
  error: AskError | undefined;
  at: number | undefined;
  asking: AbortController | undefined;
  again: boolean;
  timer: ReturnType<typeof setTimeout> | undefined;
  readonly watchers: Set<() => void>;
}

/** Answers kept for a way back; the oldest without a watcher go first. */
const MOST = 80;
/** Milliseconds between two questions that events cause. */
const CALM = 1500;
const held = new Map<string, Held>();

/** Which answers an event makes old, by the beginning of their paths. */
const TOUCHES: Readonly<Record<LiveEvent['kind'], readonly string[]>> = {
  traffic: [],
  decision: [],
  alarm: ['/api/alarms', '/api/monitors', '/api/cases', '/api/overview', '/api/alerts'],
  case: ['/api/cases', '/api/overview', '/api/clients'],
  order: ['/api/orders', '/api/overview', '/api/cases', '/api/clients', '/api/policy', '/api/models'],
  models: ['/api/models', '/api/overview', '/api/policy'],
  reviews: ['/api/reviews', '/api/overview'],
  policy: ['/api/policy', '/api/overview'],
  keys: ['/api/keys', '/api/principals'],
  'signed-out': [],
};

onLive((event) => renew(TOUCHES[event.kind] ?? [], CALM));
onReturn(() => touch('/api/'));
// Nobody sees what another person had on the screen before.
session.watch(() => {
  if (session.get() !== null) return;
  for (const each of held.values()) each.asking?.abort();
  held.clear();
});

/** Answers under these beginnings of paths are asked for again: at once where somebody looks, else when somebody does. */
export function touch(...beginnings: readonly string[]): void {
  renew(beginnings, 0);
}

/** `calm`: milliseconds between two questions. */
function renew(beginnings: readonly string[], calm: number): void {
  for (const [path, each] of held) {
    if (!beginnings.some((beginning) => path.startsWith(beginning))) continue;
    if (each.watchers.size === 0) {
      each.at = undefined;
      continue;
    }
    if (calm === 0) {
      clearTimeout(each.timer);
      each.timer = undefined;
      void fetchInto(path, each);
      continue;
    }
    const rest = each.at === undefined ? 0 : Math.max(0, each.at + calm - Date.now());
    each.timer ??= setTimeout(() => {
      each.timer = undefined;
      void fetchInto(path, each);
    }, rest);
  }
}

/** Changes what is kept of a path, where something is: what an act has just answered is true at once. */
export function amend<T>(path: string, how: (before: T) => T): void {
  const each = held.get(path);
  if (each?.data === undefined) return;
  each.data = how(each.data as T);
  for (const watcher of [...each.watchers]) watcher();
}

/**
 * The answer of a path of the management side: at once from what is kept, then from the server; again when an event says that it is old, and every `every`
 * milliseconds while the page is seen. `lasting`: what is kept will do, until something says that it is old. `undefined` asks nothing.
 */
export function useQuery<T>(
  path: string | undefined,
  { every, lasting = false }: { readonly every?: number; readonly lasting?: boolean } = {},
): Query<T> {
  const [, draw] = useReducer((n: number) => n + 1, 0);
  const before = useRef<unknown>(undefined);
  const drawn = useRef<Pick<Held, 'data' | 'error'>>(undefined as never);
  useEffect(() => {
    if (path === undefined) return;
    const each = entry(path);
    each.watchers.add(draw as () => void);
    // What came after it was drawn and before anybody watched: nobody else says so.
    if (each.data !== drawn.current.data || each.error !== drawn.current.error) (draw as () => void)();
    if (each.at === undefined && each.asking === undefined) fetchInto(path, each);
    else if (!lasting && each.at !== undefined && Date.now() - each.at > CALM) fetchInto(path, each);
    const timer =
      every === undefined
        ? undefined
        : setInterval(() => {
            if (document.visibilityState === 'visible') fetchInto(path, each);
          }, every);
    return () => {
      clearInterval(timer);
      each.watchers.delete(draw as () => void);
      // Nobody waits for it any more.
      if (each.watchers.size > 0) return;
      each.asking?.abort();
      each.asking = undefined;
    };
  }, [path, every]);
  const now = path === undefined ? undefined : held.get(path);
  drawn.current = { data: now?.data, error: now?.error };
  if (now?.data !== undefined) before.current = now.data;
  const data = (now?.data ?? before.current) as T | undefined;
  const refresh = useCallback(() => {
    if (path !== undefined) fetchInto(path, entry(path));
  }, [path]);
  return {
    data,
    error: now?.error,
    loading: data === undefined && now?.error === undefined && path !== undefined,
    stale: data !== undefined && (now?.data === undefined || now.error !== undefined),
    at: now?.at,
    refresh,
  };
}

/** Rows of a list that the server pages, as far as somebody asked for more. */
export interface Rows<Row> extends Omit<Query<unknown>, 'data'> {
  readonly rows: readonly Row[];
  /** Asks for the next page; undefined at the end. */
  readonly more: (() => void) | undefined;
  readonly loadingMore: boolean;
}

/** A list of {@link Page}s: the first kept up to date as {@link useQuery} does, further ones by `before`. Rows are told apart by `key`. */
export function useRows<Row>(path: string, key: (row: Row) => string): Rows<Row> {
  const first = useQuery<Page<Row>>(path);
  const further = useRef<{
    path: string;
    rows: Row[];
    next: string | undefined;
    asking: boolean;
    begun: boolean;
  }>(undefined as never);
  const [, draw] = useReducer((n: number) => n + 1, 0);
  if (further.current?.path !== path)
    further.current = { path, rows: [], next: undefined, asking: false, begun: false };
  const state = further.current;
  const rows = useMemo(() => {
    const begin = first.data?.rows ?? [];
    const seen = new Set(begin.map(key));
    return [...begin, ...state.rows.filter((row) => !seen.has(key(row)))];
  }, [first.data, state.rows, state.rows.length]);
  const next = state.begun ? state.next : first.data?.next;
  const more = useCallback(async () => {
    if (state.asking || next === undefined) return;
    state.asking = true;
    (draw as () => void)();
    try {
      const page = await ask<Page<Row>>(withParameter(path, 'before', next));
      state.rows = [...state.rows, ...page.rows];
      state.next = page.next;
      state.begun = true;
    } catch {
      // What is there stays; the button stays, too.
    } finally {
      state.asking = false;
      (draw as () => void)();
    }
  }, [path, next, state]);
  return { ...first, rows, more: next === undefined ? undefined : more, loadingMore: state.asking };
}

/** The path with one more parameter. */
export function withParameter(path: string, name: string, value: string): string {
  return `${path}${path.includes('?') ? '&' : '?'}${name}=${encodeURIComponent(value)}`;
}

/** A path with parameters; those without a value are left out. */
export function pathOf(
  path: string,
  parameters: Readonly<Record<string, string | number | undefined>>,
): string {
  return Object.entries(parameters).reduce(
    (made, [name, value]) =>
      value === undefined || value === '' ? made : withParameter(made, name, String(value)),
    path,
  );
}

/** Puts an answer in place that an act has just given. */
export function put(path: string, data: unknown): void {
  const each = entry(path);
  each.asking?.abort();
  Object.assign(each, { data, error: undefined, at: Date.now(), asking: undefined });
  for (const watcher of [...each.watchers]) watcher();
}

/** What is kept of a path, without asking. */
export function peek<T>(path: string): T | undefined {
  return held.get(path)?.data as T | undefined;
}

function entry(path: string): Held {
  const there = held.get(path);
  if (there !== undefined) return there;
  for (const [old, each] of held) {
    if (held.size < MOST) break;
    if (each.watchers.size === 0) held.delete(old);
  }
  const fresh: Held = {
    data: undefined,
    error: undefined,
    at: undefined,
    asking: undefined,
    again: false,
    timer: undefined,
    watchers: new Set(),
  };
  held.set(path, fresh);
  return fresh;
}

async function fetchInto(path: string, each: Held): Promise<void> {
  if (each.asking !== undefined) {
    each.again = true;
    return;
  }
  const controller = new AbortController();
  each.asking = controller;
  each.again = false;
  try {
    const data = await ask(path, controller.signal);
    if (each.asking !== controller) return;
    Object.assign(each, { data, error: undefined, at: Date.now() });
  } catch (thrown) {
    if (each.asking !== controller) return;
    if (!controller.signal.aborted)
      each.error = thrown instanceof AskError ? thrown : new AskError(0, String(thrown));
  } finally {
    if (each.asking === controller) {
      each.asking = undefined;
      for (const watcher of [...each.watchers]) watcher();
      if (each.again && each.watchers.size > 0) void fetchInto(path, each);
    }
  }
}
