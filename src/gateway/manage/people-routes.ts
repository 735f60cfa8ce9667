import { sql } from 'kysely';
import type { Store } from '../../store/index.ts';
import type { Page, PrincipalRow, RolesView } from '../console/api.ts';
import type { KeyDesk } from '../identity/keys/key-desk.ts';
import { MANAGEMENT_ACTIONS, MANAGEMENT_ROLES, type ManagementRights } from '../identity/management.ts';
import { type ManagementRoute, route } from './route.ts';

/** What the routes about people stand on. */
export interface PeopleParts {
  readonly store: Pick<Store, 'reader'>;
  readonly keys: Pick<KeyDesk, 'list'>;
  readonly management: Pick<ManagementRights, 'may'>;
}

/** Principals of a page. */
const MOST = 100;

/** Who is known here, and who may do what. */
export function peopleRoutes({ store, keys, management }: PeopleParts): readonly ManagementRoute[] {
  return [
    route({
      method: 'GET',
      path: '/api/principals',
      about: 'Who has or had keys, or was shut out, by name; ?find=, ?out=1, ?before=, ?most=.',
      action: 'principals.list',
      async run({ query: { find = '', out, before, most } }) {
        const limit = Math.max(1, Math.min(MOST, Math.floor(Number(most) || MOST)));
        let asked = store.reader.selectFrom('principals').select(['id', 'tenant', 'disabled', 'note']);
        if (out === '1') asked = asked.where('disabled', 'is not', null);
        if (before !== undefined) asked = asked.where('id', '>', before);
        if (find !== '') {
          const pattern = `%${find.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`;
          asked = asked.where(({ or }) =>
            or([
              sql<boolean>`lower(id) like ${pattern} escape '\\'`,
              sql<boolean>`lower(tenant) like ${pattern} escape '\\'`,
            ]),
          );
        }
        const found = await asked
          .orderBy('id')
          .limit(limit + 1)
          .execute();
        const page = found.slice(0, limit);
        const rows: Page<PrincipalRow> = {
          rows: withKeys(page, keys.list()),
          next: found.length > limit ? page.at(-1)!.id : undefined,
        };
        return { json: rows };
      },
    }),
    route({
      method: 'GET',
      path: '/api/roles',
      about: 'What a person with one role may do, as the rules in force say.',
      action: 'policy.read',
      run: () => ({ json: rolesView(management) }),
    }),
  ];
}

function withKeys(
  page: readonly {
    readonly id: string;
    readonly tenant: string;
    readonly disabled?: number | string | null | undefined;
    readonly note?: string | null | undefined;
  }[],
  keys: ReturnType<KeyDesk['list']>,
): readonly PrincipalRow[] {
  const wanted = new Map(page.map(({ id }) => [id, { keys: 0, roles: new Set<string>() }]));
  for (const { principal, revoked, roles } of keys) {
    const entry = wanted.get(principal);
    if (entry === undefined || revoked !== undefined) continue;
    entry.keys++;
    for (const role of roles) entry.roles.add(role);
  }
  return page.map(({ id, tenant, disabled, note }) => ({
    ...{ id, tenant, note: note ?? undefined },
    out: disabled === null || disabled === undefined ? undefined : Number(disabled),
    keys: wanted.get(id)!.keys,
    roles: [...wanted.get(id)!.roles].sort(),
  }));
}

/** Asked of the rules themselves, because an operator may have written others. */
function rolesView({ may }: Pick<ManagementRights, 'may'>): RolesView {
  const holders = MANAGEMENT_ROLES.map((role) => ({
    role,
    who: { id: `any ${role}`, tenant: '', credential: '', kind: 'key', roles: [role] } as const,
  }));
  return {
    roles: MANAGEMENT_ROLES,
    actions: Object.entries(MANAGEMENT_ACTIONS).map(([action, { about, kind }]) => ({
      ...{ action, about, kind },
      by: holders.filter(({ who }) => may(who, action, '127.0.0.1')).map(({ role }) => role),
    })),
  };
}
