import { hash as digest, randomBytes } from 'node:crypto';
import type { SessionRow, Store } from '../../store/index.ts';
import { SECRET_BYTES } from './cookies.ts';

/** How long sessions hold, in milliseconds, and how many a person has. */
export interface SessionLimits {
  readonly idle: number;
  readonly longest: number;
  readonly most: number;
}

/** Who signed in, and what that rests on. */
export interface SignedIn {
  readonly principal: string;
  readonly tenant: string;
  /** The id of a key, or issuer and subject. */
  readonly credential: string;
  /** What the issuer said of who signed in there. */
  readonly claimed?:
    | { readonly issuer: string; readonly claims: Readonly<Record<string, unknown>> }
    | undefined;
}

/** A session that holds. */
export interface Session extends SignedIn {
  /** What it is called where sessions are listed; it opens nothing. */
  readonly name: string;
  readonly address: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly seen: number;
  /** When it ends, if something is asked in it until then. */
  readonly ends: number;
}

/** Sessions of the console, in the store: they end on every gateway at once. Errors of all: those of the store. */
export interface Sessions {
  /** Begins one under a fresh id; the person's oldest end where there would be too many. */
  begin(who: SignedIn, address: string): Promise<{ readonly id: string; readonly session: Session }>;
  /** The session of an id, if it holds. */
  find(id: string): Promise<Session | undefined>;
  /** Which of these hold, by their names; asks the store once. */
  holding(names: readonly string[]): Promise<ReadonlySet<string>>;
  /** Notes that something was asked in it. */
  touch(session: Session): Promise<void>;
  /** Ends one; gives whether it held. */
  end(name: string, by: string): Promise<boolean>;
  /** Those that hold, the newest first: of a principal, or of all. */
  list(principal?: string): Promise<readonly Session[]>;
}

/** Between two notes that a session is in use, in milliseconds. */
const TOUCH = 30_000;
const MOST_LISTED = 1000;

/** Opens them. Nothing is kept in memory: who signed out elsewhere is out here. */
export function openSessions(
  store: Pick<Store, 'db' | 'transact'>,
  limits: () => SessionLimits,
  now: () => number,
): Sessions {
  const { db } = store;
  const isHolding = (row: SessionRow): boolean =>
    row.ended === null && now() < Math.min(row.ends, row.seen + limits().idle);
  return {
    async begin(who, address) {
      const id = randomBytes(SECRET_BYTES).toString('base64url');
      const at = now();
      const { longest, most } = limits();
      const row: SessionRow = {
        hash: hashOf(id),
        name: randomBytes(9).toString('base64url'),
        principal: who.principal,
        tenant: who.tenant,
        credential: who.credential,
        issuer: who.claimed?.issuer ?? null,
        claims: who.claimed === undefined ? null : JSON.stringify(who.claimed.claims),
        address,
        created: at,
        seen: at,
        ends: at + longest,
        ended: null,
        ended_by: null,
      };
      await store.transact(async (trx) => {
        const open = await trx
          .selectFrom('sessions')
          .selectAll()
          .where('principal', '=', who.principal)
          .where('ended', 'is', null)
          .where('ends', '>', at)
          .orderBy('created', 'desc')
          .execute();
        const over = open.filter(isHolding).slice(most - 1);
        if (over.length > 0)
          await trx
            .updateTable('sessions')
            .set({ ended: at, ended_by: 'glacis' })
            .where(
              'hash',
              'in',
              over.map((each) => each.hash),
            )
            .execute();
        await trx.insertInto('sessions').values(row).execute();
      });
      return { id, session: sessionOf(row, limits()) };
    },
    async find(id) {
      const row = await db
        .selectFrom('sessions')
        .selectAll()
        .where('hash', '=', hashOf(id))
        .executeTakeFirst();
      return row !== undefined && isHolding(row) ? sessionOf(row, limits()) : undefined;
    },
    async holding(names) {
      if (names.length === 0) return new Set();
      const rows = await db
        .selectFrom('sessions')
        .selectAll()
        .where('name', 'in', [...names])
        .execute();
      return new Set(rows.filter(isHolding).map(({ name }) => name));
    },
    async touch({ name, seen }) {
      const at = now();
      if (at - seen < Math.min(TOUCH, limits().idle / 4)) return;
      await db
        .updateTable('sessions')
        .set({ seen: at })
        .where('name', '=', name)
        .where('ended', 'is', null)
        .execute();
    },
    async end(name, by) {
      const { numUpdatedRows } = await db
        .updateTable('sessions')
        .set({ ended: now(), ended_by: by })
        .where('name', '=', name)
        .where('ended', 'is', null)
        .executeTakeFirst();
      return Number(numUpdatedRows) === 1;
    },
    async list(principal) {
      const at = now();
      let query = db
        .selectFrom('sessions')
        .selectAll()
        .where('ended', 'is', null)
        .where('ends', '>', at)
        .where('seen', '>', at - limits().idle);
      if (principal !== undefined) query = query.where('principal', '=', principal);
      const rows = await query.orderBy('created', 'desc').limit(MOST_LISTED).execute();
      return rows.map((row) => sessionOf(row, limits()));
    },
  };
}

/** What the store knows an id by. An id is 256 random bits, so one hash is enough. */
export function hashOf(secret: string): string {
  return digest('sha256', secret, 'hex');
}

function sessionOf(row: SessionRow, { idle }: SessionLimits): Session {
  const { name, principal, tenant, credential, address, created, seen, issuer, claims } = row;
  return {
    ...{ name, principal, tenant, credential, address, created, seen },
    ends: Math.min(row.ends, seen + idle),
    ...(issuer !== null && {
      claimed: { issuer, claims: JSON.parse(claims ?? '{}') as Record<string, unknown> },
    }),
  };
}
