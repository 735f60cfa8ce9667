import { randomBytes } from 'node:crypto';
import { GlacisError } from '../../core/error.ts';
import type { Store } from '../../store/index.ts';
import { SECRET_BYTES } from './cookies.ts';
import { hashOf } from './sessions.ts';

/** Between two sweeps' worth of links: more that were not used yet are not made for one key. */
const MOST_OPEN = 20;

/**
 * Makes a link that signs in, once, as whoever has this key: it can do what the key can for as long as the key holds. Gives the secret, which is kept nowhere.
 * Errors: `option/invalid` where too many are open; those of the store.
 */
export async function makeLink(
  { db }: Pick<Store, 'db'>,
  {
    credential,
    by,
    now,
    lifetime,
  }: { readonly credential: string; readonly by: string; readonly now: number; readonly lifetime: number },
): Promise<{ readonly link: string; readonly ends: number }> {
  const open = await db
    .selectFrom('links')
    .select(({ fn }) => fn.countAll().as('count'))
    .where('credential', '=', credential)
    .where('used', 'is', null)
    .where('ends', '>', now)
    .executeTakeFirst();
  if (Number(open?.count ?? 0) >= MOST_OPEN)
    throw new GlacisError(
      'option/invalid',
      `links: expected at most ${MOST_OPEN} that are not used yet, got one more`,
    );
  const link = randomBytes(SECRET_BYTES).toString('base64url');
  const ends = now + lifetime;
  await db
    .insertInto('links')
    .values({ hash: hashOf(link), credential, created: now, created_by: by, ends, used: null })
    .execute();
  return { link, ends };
}

/** Takes a link; of many who bring the same one at once, one gets in. Undefined for one that is unknown, used or too old. Errors: those of the store. */
export async function takeLink(
  { db }: Pick<Store, 'db'>,
  link: string,
  now: number,
): Promise<{ readonly credential: string; readonly by: string } | undefined> {
  const hash = hashOf(link);
  const { numUpdatedRows } = await db
    .updateTable('links')
    .set({ used: now })
    .where('hash', '=', hash)
    .where('used', 'is', null)
    .where('ends', '>', now)
    .executeTakeFirst();
  if (Number(numUpdatedRows) !== 1) return undefined;
  const row = await db
    .selectFrom('links')
    .select(['credential', 'created_by'])
    .where('hash', '=', hash)
    .executeTakeFirst();
  return row && { credential: row.credential, by: row.created_by };
}

/** The key of a principal that a link may stand on: one that holds and has roles, the newest. Undefined where there is none. Errors: those of the store. */
export async function keyForLink(
  { db }: Pick<Store, 'db'>,
  principal: string,
  now: number,
): Promise<string | undefined> {
  const row = await db
    .selectFrom('api_keys')
    .select('id')
    .where('principal', '=', principal)
    .where('revoked', 'is', null)
    .where('roles', '<>', '[]')
    .where(({ or, eb }) => or([eb('expires', 'is', null), eb('expires', '>', now)]))
    .where(({ or, eb }) => or([eb('not_before', 'is', null), eb('not_before', '<=', now)]))
    .orderBy('created', 'desc')
    .executeTakeFirst();
  return row?.id;
}
