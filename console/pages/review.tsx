import { useEffect } from 'preact/hooks';
import type { Review } from '../../src/gateway/verify/reviews.ts';
import { pathOf, type Rows, useQuery, useRows } from '../data/query.ts';
import { Badge } from '../parts/badge.tsx';
import { Card, Opening } from '../parts/card.tsx';
import { ClassName } from '../parts/class-name.tsx';
import { Empty } from '../parts/empty.tsx';
import { Filters, Search, Select } from '../parts/field.tsx';
import { counted, score } from '../parts/format.ts';
import { Loaded, LoadedRows } from '../parts/loading.tsx';
import { Text } from '../parts/text.tsx';
import { Time } from '../parts/time.tsx';
import { isWriting } from '../shell/keys.ts';
import { go, Link, pathTo, setQuery } from '../shell/router.tsx';
import type { PageProps } from '../shell/routes.ts';
import { Held } from './review/held.tsx';
import { STATES } from './review/words.ts';

/** Answers that are held because two models disagree, until a person decides. */
export default function ReviewPage({ rest, query }: PageProps) {
  const [chosen] = rest;
  const state = query.get('state') ?? 'open';
  const list = useRows<Review>(
    pathOf('/api/reviews', {
      state: state === 'all' ? undefined : state,
      principal: query.get('principal') ?? undefined,
      most: 50,
    }),
    ({ id }) => id,
  );
  const id = chosen ?? list.rows[0]?.id;
  useRowKeys();
  const search = query.toString();
  const next = (): void => {
    const at = list.rows.findIndex((each) => each.id === id);
    const after = list.rows[at + 1] ?? list.rows[at - 1];
    const path = after === undefined ? '/review' : pathTo('review', after.id);
    go(search === '' ? path : `${path}?${search}`, { replace: true });
  };
  return (
    <>
      <Opening
        chip={
          state === 'open' && list.rows.length > 0
            ? `${counted(list.rows.length, 'answer')}${list.more ? ' and more' : ''} waiting`
            : undefined
        }
        tone="warn"
        title="Two models disagree: you decide"
      >
        A second model checks answers. Where both differ too much, the answer is held. Released, it is given
        when the same call comes again; refused, it never is. <kbd>j</kbd> <kbd>k</kbd> go through the queue,{' '}
        <kbd>r</kbd> releases, <kbd>x</kbd> refuses.
      </Opening>
      <div class="review">
        <Card flush>
          <Filters>
            <Select
              label="State"
              value={state}
              options={[
                ['open', 'open'],
                ['released', 'released'],
                ['refused', 'refused'],
                ['expired', 'expired'],
                ['all', 'all'],
              ]}
              onChange={(value) => setQuery({ state: value === 'open' ? undefined : value })}
            />
            <Search
              label="Caller"
              value={query.get('principal') ?? ''}
              onFind={(text) => setQuery({ principal: text })}
            />
          </Filters>
          <Queue list={list} now={id} search={search} isOpen={state === 'open' && !query.has('principal')} />
        </Card>
        {id !== undefined && <Chosen key={id} id={id} onDecided={next} />}
      </div>
    </>
  );
}

function Queue({
  list,
  now,
  search,
  isOpen,
}: {
  readonly list: Rows<Review>;
  readonly now: string | undefined;
  readonly search: string;
  readonly isOpen: boolean;
}) {
  const empty = isOpen ? (
    <Empty title="Nothing waits for you" icon="review">
      Answers are held here where <code>serve.verify</code> names a second model and says{' '}
      <code>action: hold</code>.
    </Empty>
  ) : (
    <Empty title="Nothing fits" icon="search">
      Choose another state, or leave the caller out.
    </Empty>
  );
  return (
    <LoadedRows list={list} what="the queue" empty={empty}>
      {(rows) => (
        <nav aria-label="Held answers">
          <ol class="queue">
            {rows.map((review) => (
              <li key={review.id} data-row="" class={review.id === now ? 'now' : ''}>
                <Link
                  to={`${pathTo('review', review.id)}${search === '' ? '' : `?${search}`}`}
                  aria-current={review.id === now ? 'page' : undefined}
                >
                  <span class="who">
                    <Text of={review.principal} most={28} />
                  </span>
                  <span class="muted">
                    <Disagreement of={review} />
                  </span>
                  <span class="muted small">
                    <Time at={review.at} />
                  </span>
                  {review.state !== 'open' && (
                    <Badge tone={STATES[review.state].tone}>{STATES[review.state].title}</Badge>
                  )}
                  {review.state === 'open' && review.votes.length > 0 && (
                    <span class="muted small">
                      {counted(review.votes.length, 'vote or comment', 'votes and comments')}
                    </span>
                  )}
                </Link>
              </li>
            ))}
          </ol>
        </nav>
      )}
    </LoadedRows>
  );
}

/** What the one model says and the other does not, of the worst sample. */
function Disagreement({ of: { model, samples } }: { readonly of: Review }) {
  const [worst] = samples;
  if (worst === undefined) return <Text of={model} most={24} />;
  const { first, second } = worst;
  if (first[0] === second[0])
    return (
      <>
        <ClassName model={model} label={first[0]} />, {score(first[1])} or {score(second[1])}
      </>
    );
  return (
    <>
      <ClassName model={model} label={first[0]} /> or <ClassName model={model} label={second[0]} />?
    </>
  );
}

function Chosen({ id, onDecided }: { readonly id: string; readonly onDecided: () => void }) {
  const found = useQuery<Review>(`/api/reviews/${encodeURIComponent(id)}`);
  return (
    <div>
      <Loaded query={found} what="the held answer" lines={8}>
        {(review) => <Held review={review} onDecided={onDecided} />}
      </Loaded>
    </div>
  );
}

/** `j` and `k` move the focus from row to row, here as everywhere; here they open the row, too. */
function useRowKeys(): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if ((event.key !== 'j' && event.key !== 'k') || event.ctrlKey || event.metaKey || event.altKey) return;
      if (isWriting(event.target)) return;
      setTimeout(() => {
        const link = document.activeElement;
        if (link instanceof HTMLAnchorElement && link.closest('.queue') !== null) link.click();
      });
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, []);
}
