import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Detail } from '../../src/gateway/detail.ts';
import { type Cedar, freshCedar } from '../../src/gateway/identity/cedar/engine.ts';
import { readPolicies } from '../../src/gateway/identity/cedar/read-policies.ts';
import { identitySchema, rightsSchema } from '../../src/gateway/identity/config-schema.ts';
import { MANAGEMENT_ACTIONS, MANAGEMENT_SCHEMA } from '../../src/gateway/identity/management.ts';
import { openRights } from '../../src/gateway/identity/open-rights.ts';
import { DEFAULT_RIGHTS, RIGHTS_SCHEMA } from '../../src/gateway/identity/rights-schema.ts';
import type { Principal } from '../../src/gateway/principal.ts';
import { ROOT } from './tree.ts';

const page = readFileSync(join(ROOT, 'docs/identity.md'), 'utf8').replaceAll('\r\n', '\n');
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map((match) => match[1]!);
const policies = blocks('cedar');
const ofManagement = (text: string) => text.startsWith('// management\n');

describe('docs/identity.md', () => {
  let cedar: Cedar;
  beforeAll(() => {
    cedar = freshCedar();
  });

  it('shows policies that fit the schema of their side', () => {
    expect(policies).toHaveLength(3);
    for (const text of policies)
      readPolicies(cedar, ofManagement(text) ? MANAGEMENT_SCHEMA : RIGHTS_SCHEMA, [{ name: 'page', text }]);
    expect(policies[0]!.trim()).toBe(DEFAULT_RIGHTS.trim());
  });

  it('shows the schema, and a configuration that can be read', () => {
    expect(blocks('cedarschema')[0]!.trim()).toBe(RIGHTS_SCHEMA.trim());
    const { serve } = parse(blocks('yaml')[0]!) as { serve: { identity: unknown; rights: unknown } };
    expect(identitySchema.parse(serve.identity).issuers).toHaveLength(1);
    expect(rightsSchema.parse(serve.rights).policies).toEqual(['policies/']);
  });

  it('lists the actions of the management side', () => {
    const rows = [...page.matchAll(/^\| `([a-z-]+\.[a-z-]+)` \| (.+) \| (\w+) \| (.*) \|$/gm)].map(
      ([, name, about, kind, roles]) => [
        name,
        { about, kind, roles: roles === '' ? [] : roles!.split(', ') },
      ],
    );
    expect(Object.fromEntries(rows)).toEqual(MANAGEMENT_ACTIONS);
  });

  it('says what its policies do', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'glacis-page-'));
    writeFileSync(join(folder, 'page.cedar'), policies[1]!);
    const rights = await openRights(rightsSchema.parse({ policies: folder }), {
      now: () => Date.parse('2026-11-21T10:00:00Z'),
      clock: () => 0,
      failed: (where) => expect.fail(where),
    });
    rmSync(folder, { recursive: true });
    const who = (over: Partial<Principal>): Principal => ({
      id: 'x',
      tenant: 'y',
      credential: 'z',
      kind: 'token',
      roles: [],
      ...over,
    });
    const most = (
      principal: Principal,
      model: string,
      address = '10.0.0.1',
      version = '1',
    ): Detail | undefined => rights.decide(principal, { model, version, operation: 'infer', address }).detail;
    const customer = who({ roles: ['customer'] });
    expect(most(customer, 'public-digits')).toBe('topk');
    expect(most(customer, 'public-digits', '192.0.2.1')).toBe('label');
    expect(most(customer, 'fraud')).toBeUndefined();
    const analyst = who({ roles: ['analyst'], tenant: 'acme' });
    expect(most(analyst, 'fraud', '198.51.100.7')).toBe('explanation');
    expect(most(analyst, 'fraud', '198.51.101.7')).toBeUndefined();
    expect(most(who({ ...analyst, credential: '5fQ2xYzA01b' }), 'fraud', '198.51.100.7')).toBeUndefined();
    expect(most(who({ id: 'corp:ann' }), 'fraud', '10.0.0.1', '9')).toBe('explanation');
    expect(most(who({ id: 'corp:ann' }), 'fraud', '10.0.0.1', '8')).toBeUndefined();
  });
});

it('routes of the management side ask for actions that exist', () => {
  const folder = join(ROOT, 'src/gateway/manage');
  const asked = readdirSync(folder)
    .filter((name) => name.endsWith('-routes.ts'))
    .flatMap((name) => [
      ...readFileSync(join(folder, name), 'utf8').matchAll(/\b(?:action: |may\()'([^']+)'/g),
    ])
    .map((match) => match[1]!);
  expect(asked.length).toBeGreaterThan(5);
  expect(asked.filter((action) => !Object.hasOwn(MANAGEMENT_ACTIONS, action))).toEqual([]);
});
