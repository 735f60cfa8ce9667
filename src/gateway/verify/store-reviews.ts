import { GlacisError } from '../../core/error.ts';
import type { ReviewRow, Store } from '../../store/index.ts';
import type { Event } from '../decision.ts';
import type { VerifyConfig } from './config-schema.ts';
import type { NewReview, Review, ReviewQueue, ReviewState, Reviews, ReviewVote } from './reviews.ts';

const KIND = 'divergence';
const MOST_LISTED = 1000;
const MOST_COMMENT = 2000;
const MOST_VOTES = 100;
const HOUR = 3_600_000;
/** Between two looks for what has expired. */
const SWEEP = 60_000;

/** What {@link openReviews} needs beside its configuration. */
export interface ReviewSurroundings {
  readonly store: Pick<Store, 'db' | 'transact'>;
  /** Writes an event to the log and comes back when it is on the disk. */
  readonly record: (event: Event) => Promise<unknown>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * The queue of held answers in the store's table `reviews`: bounded, in all and for each principal; what nobody decides on
 * expires, and is deleted as long after. A vote is compared and set: it changes the row only as the person saw it, so that two
 * cannot both decide, on one gateway or several. The log hears of a vote before it counts; a vote that then loses against a
 * quicker one is logged as lost.
 */
export function openReviews(
  config: VerifyConfig['reviews'],
  { store, record, now }: ReviewSurroundings,
): Reviews & ReviewQueue {
  const { db } = store;
  const lasts = config.hours * HOUR;
  let swept = Number.NEGATIVE_INFINITY;
  const sweep = async () => {
    const time = now();
    if (time - swept < SWEEP) return;
    swept = time;
    await db
      .updateTable('reviews')
      .set({ state: 'expired' })
      .where('kind', '=', KIND)
      .where('state', '=', 'open')
      .where('expires', '<=', time)
      .execute();
    await db
      .deleteFrom('reviews')
      .where('kind', '=', KIND)
      .where('expires', '<=', time - lasts)
      .execute();
  };
  const row = (id: string) =>
    db.selectFrom('reviews').selectAll().where('kind', '=', KIND).where('id', '=', id).executeTakeFirst();
  const bySubject = (subject: string) =>
    db
      .selectFrom('reviews')
      .select(['state', 'expires'])
      .where('kind', '=', KIND)
      // Hexadecimal: nothing in it has a meaning for LIKE.
      .where('summary', 'like', `{"subject":"${subject}"%`)
      .where('expires', '>', now());
  const refuse = (why: string) => new GlacisError('option/invalid', `review: ${why}`);

  return {
    async add(review) {
      await sweep();
      return store.transact(async (db) => {
        const open = db
          .selectFrom('reviews')
          .where('kind', '=', KIND)
          .where('state', '=', 'open')
          .where('expires', '>', now());
        const there = await open
          .select('id')
          .where('summary', 'like', `{"subject":"${review.subject}"%`)
          .executeTakeFirst();
        if (there !== undefined) return 'there';
        const count = open.select(({ fn }) => fn.countAll<number | string>().as('n'));
        const all = Number((await count.executeTakeFirstOrThrow()).n);
        const own = Number(
          (await count.where('principal', '=', review.principal).executeTakeFirstOrThrow()).n,
        );
        if (all >= config.most || own >= config.mostEach) return 'full';
        await db
          .insertInto('reviews')
          .values(rowOf(review, now() + lasts))
          .execute();
        return 'added';
      });
    },
    async outcome(subject) {
      const rows = await bySubject(subject).where('state', 'in', ['released', 'refused']).execute();
      if (rows.some(({ state }) => state === 'refused')) return 'refused';
      return rows.length > 0 ? 'released' : undefined;
    },
    async list({ state, model, principal, tenant, before, most = 100 }) {
      await sweep();
      let query = db.selectFrom('reviews').selectAll().where('kind', '=', KIND);
      if (state !== undefined) query = query.where('state', '=', state);
      if (model !== undefined) query = query.where('model', '=', model);
      if (principal !== undefined) query = query.where('principal', '=', principal);
      if (tenant !== undefined) query = query.where('tenant', '=', tenant);
      if (before !== undefined) query = query.where('at', '<', before);
      const limit = Math.max(1, Math.min(MOST_LISTED, Math.floor(most)));
      const rows = await query.orderBy('at', 'desc').orderBy('id').limit(limit).execute();
      return rows.map((row) => reviewOf(row, now()));
    },
    async find(id) {
      const found = await row(id);
      return found && reviewOf(found, now());
    },
    async decide(id, { by, verdict, comment, revision }) {
      const found = await row(id);
      if (found === undefined) throw refuse('expected the id of a held decision, got another');
      const review = reviewOf(found, now());
      if (review.state !== 'open')
        throw new GlacisError('store/conflict', `review ${id}: it is ${review.state} already`);
      if (review.revision !== revision)
        throw new GlacisError('store/conflict', `review ${id}: somebody has voted since`);
      if (by === review.principal) throw refuse(`${by} cannot decide on a call of their own`);
      const earlier = review.votes.filter((vote) => vote.verdict !== 'comment');
      if (verdict !== 'comment' && earlier.some((vote) => vote.by === by))
        throw refuse(`${by} has voted already`);
      const said = comment?.trim();
      if (said === '' || (said ?? '').length > MOST_COMMENT || (verdict === 'comment' && said === undefined))
        throw refuse(`expected a comment of 1 to ${MOST_COMMENT} characters`);
      if (review.votes.length >= MOST_VOTES)
        throw refuse(`expected at most ${MOST_VOTES} votes and comments`);
      const vote: ReviewVote = { by, at: now(), verdict, ...(said !== undefined && { comment: said }) };
      const votes = [...review.votes, vote];
      const state = stateAfter(votes, config.reviewers);
      const about = { review: id, model: review.model, principal: review.principal, verdict, state };
      // Nothing takes effect that is not in the log.
      await record({ kind: 'event', at: vote.at, event: 'review-decided', by, about });
      const done = state === 'open' ? {} : { decided: vote.at, decided_by: by, expires: vote.at + lasts };
      const { numUpdatedRows } = await db
        .updateTable('reviews')
        .set({ note: JSON.stringify(votes), state, ...done })
        .where('id', '=', id)
        .where('state', '=', 'open')
        .where('note', found.note === null ? 'is' : '=', found.note)
        .executeTakeFirst();
      if (Number(numUpdatedRows) === 1) return { ...review, votes, state, revision: votes.length };
      await record({ kind: 'event', at: now(), event: 'review-conflict', by, about });
      throw new GlacisError('store/conflict', `review ${id}: somebody was quicker`);
    },
  };
}

/** One refusal refuses; a release needs as many persons as the policy says. */
function stateAfter(votes: readonly ReviewVote[], reviewers: number): ReviewState {
  if (votes.some(({ verdict }) => verdict === 'refuse')) return 'refused';
  const releasing = new Set(votes.filter(({ verdict }) => verdict === 'release').map(({ by }) => by));
  return releasing.size >= reviewers ? 'released' : 'open';
}

function rowOf(review: NewReview, expires: number): ReviewRow {
  const { id, at, principal, tenant, model, version, digest, divergence, subject, samples, n } = review;
  return {
    id,
    entry: null,
    at,
    kind: KIND,
    principal,
    tenant,
    model,
    version,
    digest,
    divergence,
    // `subject` stays first: it is searched for as the beginning.
    summary: JSON.stringify({ subject, n, samples }),
    state: 'open',
    decided: null,
    decided_by: null,
    note: null,
    expires: Math.round(expires),
  };
}

function reviewOf(row: ReviewRow, now: number): Review {
  const { samples, n } = JSON.parse(row.summary) as Pick<Review, 'samples' | 'n'>;
  const votes = row.note === null ? [] : (JSON.parse(row.note) as readonly ReviewVote[]);
  const expires = Number(row.expires);
  return {
    id: row.id,
    at: Number(row.at),
    principal: row.principal ?? '',
    tenant: row.tenant ?? '',
    model: row.model,
    version: row.version ?? '',
    digest: row.digest ?? '',
    divergence: row.divergence ?? 0,
    samples,
    n,
    state: row.state === 'open' && expires <= now ? 'expired' : (row.state as ReviewState),
    votes,
    revision: votes.length,
    expires,
  };
}
