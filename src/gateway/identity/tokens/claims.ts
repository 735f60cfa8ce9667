import type { Scope } from '../../scope.ts';

/** How a token's claims name a principal. A claim is a name, or a path of names with dots between them: `realm_access.roles`. */
export interface ClaimMapping {
  /** Names the issuer in principals: `idp:` and the claim. */
  readonly issuer: string;
  readonly principal: string;
  readonly tenant:
    | { readonly is: string }
    | { readonly claim: string; readonly map?: Readonly<Record<string, string>> | undefined };
  /** A claim with a list, or a text with blanks between; only what the map names becomes a role. */
  readonly roles?: { readonly claim: string; readonly map: Readonly<Record<string, string>> } | undefined;
  readonly scope?: Scope | undefined;
}

/** What claims say, or which claim does not say it. */
export type Claimed =
  | {
      readonly id: string;
      readonly tenant: string;
      readonly subject: string;
      readonly roles: readonly string[];
    }
  | { readonly missing: string };

const MOST_ROLES = 32;
const LONGEST = 128;

/** Reads the claims of a verified token. Names that would confuse a log are refused. */
export function claimed(claims: Readonly<Record<string, unknown>>, mapping: ClaimMapping): Claimed {
  const { issuer, principal, tenant, roles } = mapping;
  const subject = nameAt(claims, principal);
  if (subject === undefined) return { missing: principal };
  const belongs = tenantOf(claims, issuer, tenant);
  if (belongs === undefined) return { missing: 'is' in tenant ? 'tenant' : tenant.claim };
  return {
    id: `${issuer}:${subject}`,
    tenant: belongs,
    subject,
    roles: roles === undefined ? [] : rolesOf(valueAt(claims, roles.claim), roles.map),
  };
}

function tenantOf(
  claims: Readonly<Record<string, unknown>>,
  issuer: string,
  tenant: ClaimMapping['tenant'],
): string | undefined {
  if ('is' in tenant) return tenant.is;
  const name = nameAt(claims, tenant.claim);
  if (name === undefined || tenant.map === undefined)
    return name === undefined ? undefined : `${issuer}:${name}`;
  return Object.hasOwn(tenant.map, name) ? tenant.map[name] : undefined;
}

function rolesOf(value: unknown, map: Readonly<Record<string, string>>): readonly string[] {
  const given: readonly unknown[] =
    typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value : [];
  const roles = given.flatMap((each) =>
    typeof each === 'string' && Object.hasOwn(map, each) ? [map[each]!] : [],
  );
  return [...new Set(roles)].sort().slice(0, MOST_ROLES);
}

function nameAt(claims: Readonly<Record<string, unknown>>, path: string): string | undefined {
  const value = valueAt(claims, path);
  if (typeof value !== 'string' || value.length > LONGEST) return undefined;
  return /^[^\p{Cc}\p{Cf}\p{Cs}\s][^\p{Cc}\p{Cf}\p{Cs}]*$/u.test(value) ? value : undefined;
}

/** A claim of that very name or, without one, along the dots. */
function valueAt(claims: Readonly<Record<string, unknown>>, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let at: unknown = claims;
  for (const name of path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined;
    at = (at as Readonly<Record<string, unknown>>)[name];
  }
  return at;
}
