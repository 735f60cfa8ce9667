import type { Review } from '../../../src/gateway/verify/reviews.ts';

/** States of a review as a person says them. */
export const STATES: Readonly<
  Record<Review['state'], { readonly title: string; readonly tone: 'warn' | 'held' | 'changed' | 'rest' }>
> = {
  open: { title: 'Open', tone: 'warn' },
  released: { title: 'Released', tone: 'held' },
  refused: { title: 'Refused', tone: 'changed' },
  expired: { title: 'Expired', tone: 'rest' },
};

/** What a vote was, in the past. */
export const VOTES = { release: 'released it', refuse: 'refused it', comment: 'said' } as const;
