import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, type Store } from '../../store/index.ts';
import type { Page, PrincipalRow, RolesView } from '../console/api.ts';
import { rightsSchema } from '../identity/config-schema.ts';
import type { KeyDesk } from '../identity/keys/key-desk.ts';
import { openManagementRights } from '../identity/management.ts';
import { peopleRoutes } from './people-routes.ts';
import { call } from './routes.fixture.ts';

let store: Store;
let folder: string;
const keys = (): Pick<KeyDesk, 'list'> => ({
  list: () =>
    [
      { principal: 'p3', roles: ['operator'] },
      { principal: 'p3', roles: ['auditor', 'operator'] },
      { principal: 'p3', roles: ['admin'], revoked: 1 },
    ] as never,
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glacis-people-'));
  const file = join(folder, 'glacis.db');
  store = await openStore({ kind: 'sqlite', file } as never, { now: Date.now, broke: () => {} });
  for (let i = 0; i < 25; i++)
    await store.db
      .insertInto('principals')
      .values({
        ...{ id: `p${i}`, tenant: i % 2 ? 'Acme' : '100%_x', roles: '[]', created: 1, changed: 1 },
        ...(i === 7 && { disabled: 5, note: 'by ann: <b>too many</b>' }),
      } as never)
      .execute();
});
afterAll(async () => {
  await store.close();
  await rm(folder, { recursive: true });
});

const list = async (query: Record<string, string> = {}) =>
  (
    await call(
      peopleRoutes({ store, keys: keys(), management: { may: () => false } }),
      'GET /api/principals',
      { query },
    )
  ).json as Page<PrincipalRow>;

describe('who is known', () => {
  it('comes page by page, each once', async () => {
    const seen: string[] = [];
    let before: string | undefined;
    do {
      const page = await list({ most: '10', ...(before !== undefined && { before }) });
      seen.push(...page.rows.map(({ id }) => id));
      before = page.next;
    } while (before !== undefined);
    expect(seen).toHaveLength(25);
    expect(new Set(seen).size).toBe(25);
  });

  it('is found by a part of the name, taken as it is written', async () => {
    expect((await list({ find: 'ACM' })).rows).toHaveLength(12);
    expect((await list({ find: '%_X' })).rows).toHaveLength(13);
    expect((await list({ find: '%' })).rows).toHaveLength(13);
    expect((await list({ find: "' or 1=1 --" })).rows).toEqual([]);
  });

  it('says who is shut out, and which roles the keys of somebody have now', async () => {
    expect((await list({ out: '1' })).rows).toMatchObject([
      { id: 'p7', out: 5, note: 'by ann: <b>too many</b>', keys: 0 },
    ]);
    const three = (await list({ find: 'p3' })).rows[0]!;
    expect(three).toMatchObject({ keys: 2, roles: ['auditor', 'operator'], out: undefined });
  });
});

describe('who may do what', () => {
  const rolesOf = async (management: Parameters<typeof peopleRoutes>[0]['management']) =>
    (await call(peopleRoutes({ store, keys: keys(), management }), 'GET /api/roles')).json as RolesView;

  it('is what the rules in force say', async () => {
    const surroundings = { now: Date.now, failed: () => {} };
    const { actions } = await rolesOf(await openManagementRights(rightsSchema.parse({}), surroundings));
    const by = (action: string) => actions.find((each) => each.action === action)!.by;
    expect(by('reviews.decide')).toEqual(['reviewer', 'admin']);
    expect(by('roles.grant')).toEqual(['admin']);
    expect(by('lab.run')).toEqual(['operator', 'auditor', 'admin']);
    expect((await rolesOf({ may: () => false })).actions.every((each) => each.by.length === 0)).toBe(true);
  });
});
