import type { ComponentChildren } from 'preact';
import type { AskError } from '../data/ask.ts';
import type { Query, Rows } from '../data/query.ts';
import { Button } from './button.tsx';
import { Empty } from './empty.tsx';

/** Grey lines where something will be. */
export function Loading({ what, lines = 4 }: { readonly what: string; readonly lines?: number }) {
  return (
    <div class="loading" role="status" aria-busy="true">
      <span class="unseen">Loading {what}</span>
      {Array.from({ length: lines }, (_, i) => (
        <span key={i} class="skeleton" />
      ))}
    </div>
  );
}

/** The answer of a query once it is there; before it grey lines, and a word where it fails. What is old stays, with a note that it is. */
export function Loaded<T>({
  query,
  what,
  lines,
  children,
}: {
  readonly query: Query<T>;
  /** What is loaded, in a word or two: `the cases`. */
  readonly what: string;
  readonly lines?: number;
  readonly children: (data: T) => ComponentChildren;
}) {
  if (query.data !== undefined) {
    return (
      <>
        {query.error && <NotRenewed error={query.error} onRetry={query.refresh} />}
        {children(query.data)}
      </>
    );
  }
  if (query.error) return <NotLoaded what={what} error={query.error} onRetry={query.refresh} />;
  return <Loading what={what} {...(lines === undefined ? {} : { lines })} />;
}

/** Rows that the server pages, once they are there, and a button for more of them; `empty` where there are none. */
export function LoadedRows<Row>({
  list,
  what,
  empty,
  children,
}: {
  readonly list: Rows<Row>;
  /** What is loaded, in a word or two: `the cases`. */
  readonly what: string;
  readonly empty: ComponentChildren;
  readonly children: (rows: readonly Row[]) => ComponentChildren;
}) {
  if (list.loading) return <Loading what={what} lines={6} />;
  if (list.rows.length === 0 && list.error)
    return <NotLoaded what={what} error={list.error} onRetry={list.refresh} />;
  if (list.rows.length === 0) return <>{empty}</>;
  return (
    <>
      {list.error && <NotRenewed error={list.error} onRetry={list.refresh} />}
      <div class={list.stale ? 'stale' : ''} aria-busy={(list.stale && !list.error) || undefined}>
        {children(list.rows)}
        {list.more && (
          <div class="actions center">
            <Button onPress={list.more} disabled={list.loadingMore}>
              {list.loadingMore ? 'Loading …' : 'Show more'}
            </Button>
          </div>
        )}
      </div>
    </>
  );
}

interface Failed {
  readonly error: AskError;
  readonly onRetry: () => void;
}

function NotLoaded({ what, error, onRetry }: Failed & { readonly what: string }) {
  const isForbidden = error.status === 403;
  return (
    <Empty
      title={isForbidden ? `You may not see ${what}` : `Could not load ${what}`}
      icon={isForbidden ? 'shield' : 'refresh'}
      action={<Button onPress={onRetry}>Try again</Button>}
    >
      {error.message}
    </Empty>
  );
}

/** What is shown is from before. */
function NotRenewed({ error, onRetry }: Failed) {
  return (
    <p class="notice" role="status">
      <span>This is not renewed: {error.message}</span>
      <Button small onPress={onRetry}>
        Try again
      </Button>
    </p>
  );
}
