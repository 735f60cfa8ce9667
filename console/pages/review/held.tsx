import { useEffect, useState } from 'preact/hooks';
import type { Monitors } from '../../../src/gateway/console/api.ts';
import type { Review } from '../../../src/gateway/verify/reviews.ts';
import { AskError, tell } from '../../data/ask.ts';
import { pathOf, put, touch, useQuery } from '../../data/query.ts';
import { session, useMay } from '../../data/session.ts';
import { useStore } from '../../data/store.ts';
import { Badge } from '../../parts/badge.tsx';
import { Button } from '../../parts/button.tsx';
import { Card } from '../../parts/card.tsx';
import { Digest } from '../../parts/digest.tsx';
import { Facts } from '../../parts/field.tsx';
import { className, count, figure } from '../../parts/format.ts';
import { Picture } from '../../parts/picture.tsx';
import { RealInput } from '../../parts/real-input.tsx';
import { ScoreBars } from '../../parts/score-bars.tsx';
import { Text } from '../../parts/text.tsx';
import { Time } from '../../parts/time.tsx';
import { Timeline } from '../../parts/timeline.tsx';
import { confirm } from '../../shell/confirm.tsx';
import { Link, pathTo } from '../../shell/router.tsx';
import { failed, said } from '../../shell/toast.tsx';
import { useKeys } from './keys.ts';
import { STATES, VOTES } from './words.ts';

type Verdict = 'release' | 'refuse' | 'comment';

/** A held decision: both models side by side, what others said, and the vote. */
export function Held({ review, onDecided }: { readonly review: Review; readonly onDecided: () => void }) {
  const monitors = useQuery<Monitors>(pathOf('/api/monitors', { model: review.model }));
  const me = useStore(session);
  const mayDecide = useMay('reviews.decide');
  const [comment, setComment] = useState('');
  /** The votes that came while this person was deciding. */
  const [conflict, setConflict] = useState<string | undefined>();
  const isOwn = me?.principal === review.principal;
  const hasVoted = review.votes.some(({ by, verdict }) => by === me?.principal && verdict !== 'comment');
  const canVote = mayDecide && !isOwn && !hasVoted && review.state === 'open';
  useEffect(() => {
    setComment('');
    setConflict(undefined);
  }, [review.id]);

  const vote = async (verdict: Verdict): Promise<void> => {
    try {
      const words = comment.trim();
      const next = await tell<Review>(`/api/reviews/${encodeURIComponent(review.id)}/decide`, {
        verdict,
        revision: review.revision,
        ...(words !== '' && { comment: words }),
      });
      put(`/api/reviews/${encodeURIComponent(review.id)}`, next);
      touch('/api/reviews', '/api/overview');
      setComment('');
      setConflict(undefined);
      done(verdict, next);
    } catch (thrown) {
      if (!(thrown instanceof AskError && thrown.status === 409)) {
        failed(thrown);
        return;
      }
      setConflict(thrown.message);
      touch('/api/reviews');
    }
  };
  const done = (verdict: Verdict, next: Review): void => {
    said(
      verdict === 'comment'
        ? 'Your comment is in the log.'
        : next.state === 'open'
          ? 'Your vote counts. Somebody else must agree before it is released.'
          : next.state === 'released'
            ? 'Released: the same call is answered when it comes again.'
            : 'Refused: the same call is not answered.',
    );
    if (next.state !== 'open') onDecided();
  };
  const decide = async (verdict: 'release' | 'refuse'): Promise<void> => {
    const isRelease = verdict === 'release';
    const given = await confirm({
      title: isRelease ? 'Release this answer?' : 'Refuse this answer?',
      action: isRelease ? 'Release' : 'Refuse',
      tone: isRelease ? 'main' : 'danger',
      children: isRelease ? (
        <p>
          When{' '}
          <b>
            <Text of={review.principal} />
          </b>{' '}
          asks the same again, the first model’s answer is given.
        </p>
      ) : (
        <p>
          When{' '}
          <b>
            <Text of={review.principal} />
          </b>{' '}
          asks the same again, it is refused. One refusal is enough.
        </p>
      ),
    });
    if (given !== undefined) await vote(verdict);
  };
  useKeys(canVote, { r: () => void decide('release'), x: () => void decide('refuse') });

  const { classNames, samples: sketches = [] } = monitors.data ?? {};
  const pictures = sketches.filter(({ decision, picture }) => decision === review.id && picture);
  return (
    <div class="stackup">
      <Card
        title={
          <>
            <Text of={review.model} /> and its second opinion
          </>
        }
        side={<Badge tone={STATES[review.state].tone}>{STATES[review.state].title}</Badge>}
        lead={`Disagreement ${figure(review.divergence)}, from 0 (the same) to 1. ${review.n === 1 ? 'It was one sample.' : `The worst ${review.samples.length} of ${count(review.n)} samples.`}`}
      >
        {review.samples.map(({ index, divergence, first, second }, i) => {
          const picture = pictures[i]?.picture;
          return (
            <article class="sides" key={index} aria-label={`Sample ${index + 1}`}>
              {picture && <Picture of={picture} alt={`Sample ${index + 1}, as a sketch`} size="large" />}
              <div class="said-of-it">
                <Side
                  title="The model that serves"
                  says={first}
                  other={second}
                  names={classNames}
                  tone="held"
                />
                <Side title="The second model" says={second} other={first} names={classNames} tone="s5" />
                {review.samples.length > 1 && (
                  <p class="muted small">
                    Sample {count(index + 1)}, disagreement {figure(divergence)}
                  </p>
                )}
              </div>
            </article>
          );
        })}
        <RealInput
          key={review.id}
          decision={review.id}
          labels={review.samples.map(({ first }) => first[0])}
        />
        {review.samples.length === 0 && <p class="muted">No samples were kept.</p>}
      </Card>
      {conflict !== undefined && (
        <Card tone="alarmed" title="Somebody was quicker">
          <p>
            <Text of={conflict} most={300} />. Look at what is there now, below, and decide again. What you
            wrote is still there.
          </p>
        </Card>
      )}
      {review.state === 'open' && (
        <Card title="Your decision">
          {canVote ? (
            <>
              <label class="field">
                <span>
                  Comment <span class="muted">(goes to the log with your vote)</span>
                </span>
                <textarea
                  rows={2}
                  maxLength={2000}
                  value={comment}
                  onInput={(event) => setComment(event.currentTarget.value)}
                />
              </label>
              <div class="actions">
                <Button tone="main" onPress={() => decide('release')}>
                  Release <kbd>r</kbd>
                </Button>
                <Button tone="danger" onPress={() => decide('refuse')}>
                  Refuse <kbd>x</kbd>
                </Button>
                <Button icon="comment" disabled={comment.trim() === ''} onPress={() => vote('comment')}>
                  Comment only
                </Button>
              </div>
            </>
          ) : (
            <p class="muted">
              {isOwn
                ? 'This is a call of your own: somebody else decides.'
                : hasVoted
                  ? 'You have voted. Somebody else must decide, too.'
                  : 'You may look at what is held, and not decide: that takes the role of a reviewer.'}
            </p>
          )}
        </Card>
      )}
      <div class="columns">
        <Card title="Whose call it was">
          <Facts
            of={[
              [
                'Caller',
                <Link key="c" to={pathTo('traffic', review.principal)}>
                  <Text of={review.principal} />
                </Link>,
              ],
              ['Tenant', <Text key="t" of={review.tenant} />],
              ['When', <Time key="w" at={review.at} />],
              [
                'Decision',
                <Link key="d" to={pathTo('ledger', review.id)}>
                  in the ledger
                </Link>,
              ],
              ['Version', <Text key="v" of={review.version} />],
              ['Digest', <Digest key="g" of={review.digest} />],
              [review.state === 'open' ? 'Expires' : 'Kept until', <Time key="e" at={review.expires} />],
            ]}
          />
        </Card>
        <Card title="Votes and comments">
          {review.votes.length === 0 ? (
            <p class="muted">Nobody has said anything yet.</p>
          ) : (
            <Timeline
              label="Votes and comments, in order"
              moments={review.votes.map(({ by, at, verdict, comment: text }, i) => ({
                id: String(i),
                at,
                icon:
                  verdict === 'comment'
                    ? ('comment' as const)
                    : verdict === 'release'
                      ? ('done' as const)
                      : ('close' as const),
                tone:
                  verdict === 'release'
                    ? ('held' as const)
                    : verdict === 'refuse'
                      ? ('changed' as const)
                      : undefined,
                title: (
                  <>
                    <Text of={by} /> {VOTES[verdict]}
                  </>
                ),
                body: text === undefined ? undefined : <Text of={text} most={2000} />,
              }))}
            />
          )}
        </Card>
      </div>
    </div>
  );
}

function Side({
  title,
  says: [label, score],
  other: [otherLabel],
  names,
  tone,
}: {
  readonly title: string;
  readonly says: readonly [number, number];
  readonly other: readonly [number, number];
  readonly names: readonly string[] | undefined;
  readonly tone: 'held' | 's5';
}) {
  return (
    <>
      <h3>{title}</h3>
      <ScoreBars
        label={`${title} says ${className(names, label)}`}
        rows={[
          {
            id: 'own',
            name: className(names, label),
            strong: label !== otherLabel,
            values: [{ value: score, tone }],
          },
        ]}
      />
    </>
  );
}
