import type { ComponentChildren } from 'preact';
import type { Query } from '../data/query.ts';
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
        {query.error && (
          <p class="notice" role="status">
            <span>This is not renewed: {query.error.message}</span>
            <Button small onPress={query.refresh}>
              Try again
            </Button>
          </p>
        )}
        {children(query.data)}
      </>
    );
  }
  if (query.error) {
    return (
      <Empty
        title={query.error.status === 403 ? `You may not see ${what}` : `Could not load ${what}`}
        icon={query.error.status === 403 ? 'shield' : 'refresh'}
        action={<Button onPress={query.refresh}>Try again</Button>}
      >
        {query.error.message}
      </Empty>
    );
  }
  return <Loading what={what} {...(lines === undefined ? {} : { lines })} />;
}
