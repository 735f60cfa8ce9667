import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { base62, keyParts, keyText } from '../../../core/key-text.ts';
import { Refused } from '../../refusal.ts';
import type { Scope } from '../../scope.ts';
import { type KeyDesk, openKeyDesk } from './key-desk.ts';
import { type KeyHash, keyHash } from './key-hash.ts';
import { boundFields } from './key-record.ts';
import { type KeyRing, openKeyRing } from './key-ring.ts';
import { memoryKeyStore } from './key-store.fixture.ts';

const DAY = 86_400_000;
const SCOPE: Scope = { models: ['mnist'], operations: ['infer'], detail: 'topk' };
const ADMIN = { id: 'root', mayGrant: true };
const ACT = { at: 1, by: 'root' };
const WISH = { principal: 'acme-scanner', tenant: 'acme', scope: SCOPE };
/** Of a key that somebody else has made. */
const KEPT = {
  ...{ hash: '00', principal: 'p', tenant: 't', roles: [], scope: SCOPE },
  ...{ created: 1_789_000_000_000, createdBy: 'elsewhere' },
};

let at = 0;
let ticks = 0;
let hashed: string[] = [];
const failures: unknown[] = [];
let store: ReturnType<typeof memoryKeyStore>;
let ring: KeyRing;
let desk: KeyDesk;
const real = keyHash(Buffer.alloc(32, 7));
const hash: KeyHash = (secret, bound) => {
  hashed.push(`${secret.length} ${Math.sign(bound.length)}`);
  return real(secret, bound);
};

const openAll = async () => {
  ring = await openKeyRing(
    { refresh: 3_600_000, stale: 60_000, most: 1000 },
    {
      store,
      hash,
      now: () => at,
      clock: () => ticks,
      failed: (_, thrown) => failures.push(thrown),
    },
  );
  desk = openKeyDesk({
    ring,
    store,
    hash,
    now: () => at,
    defaults: { lifetime: 90 * DAY, overlap: 7 * DAY, most: 5 },
  });
};
beforeEach(async () => {
  at = 1_790_000_000_000;
  ticks = 0;
  hashed = [];
  failures.length = 0;
  store = memoryKeyStore();
  await openAll();
});
afterEach(() => ring.close());

const because = (text: string): string => {
  try {
    return `welcome ${ring.identify(text).id}`;
  } catch (thrown) {
    if (!(thrown instanceof Refused)) throw thrown;
    return `${thrown.refusal}: ${thrown.because}`;
  }
};

describe('a key', () => {
  it('is its principal, with tenant, roles and scope, and is kept without its secret', async () => {
    const { text, record } = await desk.create({ ...WISH, roles: ['reviewer'] }, ADMIN);
    expect(ring.identify(text)).toEqual({
      id: 'acme-scanner',
      tenant: 'acme',
      credential: record.id,
      kind: 'key',
      roles: ['reviewer'],
      scope: SCOPE,
    });
    const { secret } = keyParts(text)!;
    expect(JSON.stringify([...store.rows.values(), ring.all()])).not.toContain(secret);
  });

  it('is the same object each time, which nobody can change', async () => {
    const { text } = await desk.create(WISH, ADMIN);
    const principal = ring.identify(text);
    expect(ring.identify(text)).toBe(principal);
    expect(
      Object.isFrozen(principal) && Object.isFrozen(principal.roles) && Object.isFrozen(principal.scope),
    ).toBe(true);
  });

  it('has a secret of its own', async () => {
    const texts = new Set<string>();
    for (let i = 0; i < 5; i++) texts.add((await desk.create(WISH, ADMIN)).text);
    expect(texts.size).toBe(5);
    await expect(desk.create(WISH, ADMIN)).rejects.toThrow('at most 5');
  });

  it('survives a restart, and only with the same server secret', async () => {
    const { text } = await desk.create(WISH, ADMIN);
    await ring.close();
    await openAll();
    expect(because(text)).toBe('welcome acme-scanner');
    const other = await openKeyRing(
      { refresh: DAY, stale: DAY, most: 9 },
      { store, hash: keyHash(Buffer.alloc(32, 8)), now: () => at, clock: () => 0, failed: () => {} },
    );
    expect(() => other.identify(text)).toThrow(Refused);
    await other.close();
  });

  it('is refused with another secret, an unknown id, a broken checksum', async () => {
    const { text, record } = await desk.create(WISH, ADMIN);
    const { secret } = keyParts(text)!;
    expect(because(keyText(record.id, base62(Buffer.alloc(32, 1), 43)))).toBe(
      `unauthenticated: key ${record.id}: wrong secret`,
    );
    expect(because(keyText('AAAAAAAAAAA', secret))).toBe('unauthenticated: key AAAAAAAAAAA: unknown');
    expect(because(keyText('00000000000', secret))).toBe('unauthenticated: key 00000000000: unknown');
    expect(because(`${text.slice(0, -1)}${text.endsWith('0') ? '1' : '0'}`)).toMatch('not the form');
  });

  it('is refused with another secret after it was shown with its own', async () => {
    const { text, record } = await desk.create(WISH, ADMIN);
    expect(because(text)).toMatch('welcome');
    expect(because(keyText(record.id, base62(Buffer.alloc(32, 1), 43)))).toMatch('wrong secret');
    expect(because(`${text} `)).toMatch('not the form');
    expect(because(text)).toMatch('welcome');
  });

  it('costs the same work whether its id exists or not', async () => {
    const { record } = await desk.create(WISH, ADMIN);
    hashed = [];
    because(keyText(record.id, base62(Buffer.alloc(32, 1), 43)));
    const existing = hashed;
    hashed = [];
    because(keyText('AAAAAAAAAAA', base62(Buffer.alloc(32, 1), 43)));
    expect(hashed).toEqual(existing);
    expect(hashed).toHaveLength(1);
  });

  it('ends when it expires', async () => {
    const { text, record } = await desk.create({ ...WISH, lifetime: 1000 }, ADMIN);
    at += 999;
    expect(because(text)).toMatch('welcome');
    at += 1;
    expect(because(text)).toBe(`unauthenticated: key ${record.id}: expired`);
    const forever = await desk.create({ ...WISH, lifetime: Number.POSITIVE_INFINITY }, ADMIN);
    at += 10_000 * DAY;
    expect(because(forever.text)).toMatch('welcome');
  });

  it('does not begin before it is valid', async () => {
    const record = { ...(await desk.create(WISH, ADMIN)).record, id: 'BBBBBBBBBBB', notBefore: at + 1000 };
    const secret = base62(Buffer.alloc(32, 9), 43);
    await store.add({ ...record, hash: hash(secret, boundFields(record)).toString('hex') });
    await ring.refresh();
    expect(because(keyText(record.id, secret))).toMatch('not valid yet');
    at += 1000;
    expect(because(keyText(record.id, secret))).toMatch('welcome');
  });

  it.each([
    ['roles', { roles: ['admin'] }],
    ['tenant', { tenant: 'other' }],
    ['principal', { principal: 'other' }],
    ['models', { scope: { ...SCOPE, models: ['*'] } }],
    ['detail', { scope: { ...SCOPE, detail: 'explanation' as const } }],
    ['creation', { created: 5 }],
    ['start', { notBefore: 5 }],
  ])('is worth nothing once somebody changed its %s in the database', async (_, change) => {
    const { text, record } = await desk.create(WISH, ADMIN);
    await store.add({ ...record, ...change });
    await ring.close();
    await openAll();
    expect(because(text)).toMatch('wrong secret');
  });
});

describe('rotation', () => {
  it('gives a key of the same principal; both work until the overlap ends', async () => {
    const old = await desk.create({ ...WISH, roles: ['auditor'] }, ADMIN);
    at += DAY;
    const fresh = await desk.rotate(old.record.id, ADMIN, { overlap: 1000 });
    const { credential, ...before } = ring.identify(old.text);
    const { credential: next, ...after } = ring.identify(fresh.text);
    expect(after).toEqual(before);
    expect(next).not.toBe(credential);
    expect(fresh.record.expires).toBe(at + 90 * DAY);
    at += 1000;
    expect(because(old.text)).toMatch('expired');
    expect(because(fresh.text)).toMatch('welcome');
    expect(store.rows.get(old.record.id)).toMatchObject({ replacedBy: fresh.record.id });
  });

  it('never makes the old key last longer, and happens once', async () => {
    const old = await desk.create({ ...WISH, lifetime: 500 }, ADMIN);
    await desk.rotate(old.record.id, ADMIN, { overlap: DAY });
    expect(ring.get(old.record.id)?.expires).toBe(at + 500);
    await expect(desk.rotate(old.record.id, ADMIN)).rejects.toThrow('replaced');
    await expect(desk.rotate('nothing', ADMIN)).rejects.toMatchObject({ code: 'option/invalid' });
  });
});

describe('revocation', () => {
  it('takes effect at once, before the store has answered', async () => {
    const { text, record } = await desk.create(WISH, ADMIN);
    let answer = () => {};
    vi.spyOn(store, 'revoke').mockImplementation(
      () =>
        new Promise((done) => {
          answer = () => done(true);
        }),
    );
    const done = desk.revoke(record.id, ADMIN, 'leaked');
    expect(because(text)).toBe(`unauthenticated: key ${record.id}: revoked`);
    answer();
    await done;
    expect(because(text)).toMatch('revoked');
  });

  it('stays where the store could not be told, and says so', async () => {
    const { text, record } = await desk.create(WISH, ADMIN);
    store.fails = true;
    await expect(desk.revoke(record.id, ADMIN)).rejects.toMatchObject({ code: 'store/unavailable' });
    store.fails = false;
    store.rows.set('x', { ...record, id: 'x' });
    await store.used([]);
    await ring.refresh();
    expect(because(text)).toMatch('revoked');
  });

  it('somewhere else is seen with the next look into the store', async () => {
    const { text, record } = await desk.create(WISH, ADMIN);
    await store.revoke(record.id, { at, by: 'elsewhere' });
    expect(because(text)).toMatch('welcome');
    await ring.refresh();
    expect(because(text)).toMatch('revoked');
  });

  it('of a principal ends all that it has', async () => {
    await desk.create(WISH, ADMIN);
    expect(ring.isShutOut('acme-scanner')).toBe(false);
    const done = desk.shutOut('acme-scanner', 'acme', true, ADMIN);
    expect(ring.isShutOut('acme-scanner')).toBe(true);
    await done;
    await ring.refresh();
    expect(ring.isShutOut('acme-scanner')).toBe(true);
    await desk.shutOut('acme-scanner', 'acme', false, ADMIN);
    expect(ring.isShutOut('acme-scanner')).toBe(false);
  });
});

describe('a store that does not answer', () => {
  it('is borne for a while, then no key is accepted', async () => {
    const { text } = await desk.create(WISH, ADMIN);
    store.fails = true;
    ticks = 60_000;
    await ring.refresh();
    expect(failures).toHaveLength(1);
    expect(because(text)).toMatch('welcome');
    ticks = 60_001;
    expect(because(text)).toMatch('unavailable');
    store.fails = false;
    await ring.refresh();
    expect(because(text)).toMatch('welcome');
  });

  it('is read only where something changed, and only that', async () => {
    await desk.create(WISH, ADMIN);
    await ring.refresh();
    const { loads, changes } = store;
    await ring.refresh();
    // What was made here is known here.
    await desk.create(WISH, ADMIN);
    await ring.refresh();
    expect(store).toMatchObject({ loads, changes });
    await store.shutOut('a', 'b', true, ACT);
    await ring.refresh();
    expect(store).toMatchObject({ loads, changes: changes + 1 });
    expect(ring.isShutOut('a')).toBe(true);
  });

  it('is read in part where keys are gone, or were written down late: those whose ids begin alike', async () => {
    for (const [i, id] of ['aa1', 'aa2', 'bb1', 'bb2', 'cc1', 'dd1'].entries())
      await store.add({ ...KEPT, id, created: at - i * DAY });
    await ring.refresh();
    const { loads, given } = store;
    store.rows.delete('aa2');
    store.rows.delete('cc1');
    await ring.refresh();
    expect([...ring.all()].map(({ id }) => id).sort()).toEqual(['aa1', 'bb1', 'bb2', 'dd1']);
    // The newest, which is always asked for, and those whose ids begin with aa.
    expect([store.loads, store.given - given]).toEqual([loads, 1 + 1]);
    await store.add({ ...KEPT, id: 'bb3', created: at - 9 * DAY });
    await ring.refresh();
    expect(ring.get('bb3')?.created).toBe(at - 9 * DAY);
    expect([store.loads, store.given - given]).toEqual([loads, 2 + 1 + 3]);
  });

  it('is read as a whole where it changes while parts of it are read', async () => {
    for (const id of ['aa1', 'bb1']) await store.add({ ...KEPT, id });
    await ring.refresh();
    const { loads } = store;
    store.rows.delete('aa1');
    const keysIn = store.keysIn.bind(store);
    vi.spyOn(store, 'keysIn').mockImplementationOnce(async (...given) => {
      const before = await keysIn(...given);
      store.rows.delete('bb1');
      return before;
    });
    await ring.refresh();
    expect([ring.all(), store.loads]).toEqual([[], loads + 1]);
  });

  it('does not take back what was changed here meanwhile', async () => {
    const ended = (await desk.create(WISH, ADMIN)).record;
    const near = { ...KEPT, id: 'aa9', created: at };
    await store.add({ ...KEPT, id: 'aa1' });
    await ring.refresh();
    for (const way of ['changed', 'keysIn'] as const) {
      const read = store[way].bind(store) as (...given: unknown[]) => ReturnType<typeof store.load>;
      if (way === 'changed') await store.shutOut('x', 'y', true, ACT);
      else for (const id of store.rows.keys()) store.rows.delete(id);
      let made: { text: string; record: { id: string } } | undefined;
      /** What holds each time that the store is asked whether there is more. */
      const held: boolean[] = [];
      const version = store.version.bind(store);
      const asked = vi.spyOn(store, 'version').mockImplementation(async () => {
        if (made)
          held.push(
            /welcome/.test(because(made.text)) &&
              (way === 'keysIn' ? ring.get(near.id) !== undefined : ring.get(ended.id)?.revoked === at),
          );
        return version();
      });
      const spy = vi.spyOn(store, way).mockImplementationOnce(async (...given: unknown[]) => {
        const before = await read(...given);
        if (way === 'changed') await desk.revoke(ended.id, ADMIN);
        else {
          await store.add(near);
          ring.put(near);
        }
        made = await desk.create(WISH, ADMIN);
        await desk.shutOut('z', 'y', true, ADMIN);
        return before;
      });
      await ring.refresh();
      expect(spy).toHaveBeenCalled();
      expect(held.length).toBeGreaterThan(0);
      expect(held).not.toContain(false);
      expect(because(made!.text)).toMatch('welcome');
      expect(ring.isShutOut('z')).toBe(true);
      spy.mockRestore();
      asked.mockRestore();
    }
  });

  it('is followed through any acts, here and elsewhere', async () => {
    const act = fc.record({
      what: fc.constantFrom('add', 'replace', 'revoke', 'delete', 'shutOut', 'here'),
      which: fc.nat(5),
      late: fc.constantFrom(0, 1000, 2 * DAY),
      looks: fc.boolean(),
    });
    const property = fc.asyncProperty(fc.array(act, { maxLength: 12 }), async (acts) => {
      await ring.close();
      store = memoryKeyStore();
      await openAll();
      const { record } = await desk.create(WISH, ADMIN);
      for (const [i, { what, which, late, looks }] of acts.entries()) {
        at += 1000;
        const id = [...store.rows.keys()][which % Math.max(1, store.rows.size)] ?? 'none';
        // No two at the same time: sums of times are what tells that something has changed.
        const made = { ...record, id: `k${i}`, created: at - late - i - 1 };
        if (what === 'add') await store.add(made);
        else if (what === 'here') await desk.create(WISH, ADMIN).catch(() => {});
        else if (what === 'replace' && store.rows.has(id)) await store.replace(id, at - late, made);
        else if (what === 'revoke') await store.revoke(id, { at: at - late, by: 'elsewhere' });
        else if (what === 'delete') store.rows.delete(id);
        else if (what === 'shutOut') await store.shutOut(id, 'acme', late === 0, ACT);
        if (looks) await ring.refresh();
      }
      await ring.refresh();
      const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);
      expect([...ring.all()].sort(byId)).toEqual([...store.rows.values()].sort(byId));
      for (const id of store.rows.keys()) expect(ring.isShutOut(id)).toBe(store.isOut(id));
      // All of them were read once: what was changed was found without.
      expect(store.loads).toBe(1);
      expect(failures).toEqual([]);
    });
    await fc.assert(property, { numRuns: 60 });
  });
});

describe('use', () => {
  it('is noted in the store with the next look', async () => {
    const { text, record } = await desk.create(WISH, ADMIN);
    ring.identify(text);
    await ring.refresh();
    expect(store.rows.get(record.id)?.lastUsed).toBe(at);
  });

  it('from the last four addresses is remembered, across reloads', async () => {
    const { record } = await desk.create(WISH, ADMIN);
    for (const address of ['1', '2', '3', '4', '5']) ring.cameFrom(record.id, address);
    await store.shutOut('x', 'y', true, ACT);
    await ring.refresh();
    expect(['1', '2', '5'].map((address) => ring.isKnownFrom(record.id, address))).toEqual([
      false,
      true,
      true,
    ]);
  });
});

describe('who may not give roles', () => {
  const operator = { id: 'op', mayGrant: false };

  it('makes no key with roles, and gets none by rotating one', async () => {
    await expect(desk.create({ ...WISH, roles: ['admin'] }, operator)).rejects.toThrow('may not give roles');
    const { record } = await desk.create({ ...WISH, roles: ['admin'] }, ADMIN);
    await expect(desk.rotate(record.id, operator)).rejects.toThrow('may not give roles');
    await desk.rotate(record.id, { ...operator, credential: record.id });
    await desk.create(WISH, operator);
  });
});

describe('a wish that cannot be met', () => {
  it.each<[string, object, RegExp]>([
    ['no time to live', { lifetime: 0 }, /length of time/],
    ['a time that is no number', { lifetime: Number.NaN }, /length of time/],
    ['too many roles', { roles: Array.from({ length: 33 }, (_, i) => `r${i}`) }, /at most 32 names/],
    ['a role that is no name', { roles: ['a\nb'] }, /at most 32 names/],
    ['an operation twice', { scope: { ...SCOPE, operations: ['infer', 'infer'] } }, /each operation once/],
  ])('is refused: %s', async (_, over, message) => {
    await expect(desk.create({ ...WISH, ...over }, ADMIN)).rejects.toMatchObject({
      code: 'option/invalid',
      message: expect.stringMatching(message),
    });
    expect(store.rows.size).toBe(0);
  });

  it.each([-1, Number.POSITIVE_INFINITY, Number.NaN])('is refused: an overlap of %d', async (overlap) => {
    const { record } = await desk.create(WISH, ADMIN);
    await expect(desk.rotate(record.id, ADMIN, { overlap })).rejects.toThrow('length of time');
    expect(store.rows.size).toBe(1);
  });
});

describe('the holder of a key', () => {
  it('is nobody where there is no such key, or where it may not be used any more', async () => {
    const { record } = await desk.create(WISH, ADMIN);
    expect(ring.holder(record.id).id).toBe('acme-scanner');
    expect(() => ring.holder('nothing')).toThrow(Refused);
    await desk.revoke(record.id, ADMIN);
    expect(() => ring.holder(record.id)).toThrow(Refused);
  });
});

describe('keys in the store', () => {
  it('that this version cannot read are counted, reported and do not work', async () => {
    const { text, record } = await desk.create(WISH, ADMIN);
    const { id, created, expires } = record;
    await ring.close();
    vi.spyOn(store, 'load').mockResolvedValueOnce({
      keys: [],
      damaged: [{ id, created, expires }],
      shutOut: [],
    });
    await openAll();
    expect(failures.map(String).join()).toContain(id);
    expect(because(text)).toMatch('unknown');
    // What they amount to is that of the store, so nothing is read again.
    const { loads, changes, partial } = store;
    await ring.refresh();
    expect(store).toMatchObject({ loads, changes, partial });
  });

  it('beyond what the index may hold are no longer followed, and it says so', async () => {
    await ring.close();
    ring = await openKeyRing(
      { refresh: DAY, stale: DAY, most: 2 },
      { store, hash, now: () => at, clock: () => ticks, failed: (_, thrown) => failures.push(thrown) },
    );
    for (const id of ['aa1', 'bb1', 'cc1']) await store.add({ ...KEPT, id, created: at });
    await ring.refresh();
    expect(failures).toMatchObject([{ code: 'store/unusable' }]);
  });
});

describe('names that would confuse a log', () => {
  it.each(['', ' a', 'a\nb', 'a\u001b[31m', 'a\u202eb', 'x'.repeat(129)])('%j is refused', async (name) => {
    await expect(desk.create({ ...WISH, principal: name }, ADMIN)).rejects.toMatchObject({
      code: 'option/invalid',
    });
    await expect(desk.create({ ...WISH, tenant: name }, ADMIN)).rejects.toMatchObject({
      code: 'option/invalid',
    });
    await expect(desk.create({ ...WISH, scope: { ...SCOPE, models: [name] } }, ADMIN)).rejects.toMatchObject({
      code: 'option/invalid',
    });
  });
});
