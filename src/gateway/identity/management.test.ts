import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Principal } from '../principal.ts';
import { rightsSchema } from './config-schema.ts';
import {
  MANAGEMENT_ACTIONS,
  MANAGEMENT_ROLES,
  type ManagementRights,
  openManagementRights,
} from './management.ts';

const folder = mkdtempSync(join(tmpdir(), 'glacis-management-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const failures: unknown[] = [];
const open = (config: object = {}) =>
  openManagementRights(rightsSchema.parse(config), {
    now: () => Date.parse('2026-11-21T10:00:00Z'),
    failed: (_, thrown) => failures.push(thrown),
  });
const ACTIONS = Object.keys(MANAGEMENT_ACTIONS);
const who = (...roles: string[]): Principal => ({
  id: 'op',
  tenant: 'us',
  credential: 'k',
  kind: 'key',
  roles,
});

it('is nobody’s where the policies cannot be asked, and the operator hears of it', async () => {
  const heard: unknown[] = [];
  const rights = await openManagementRights(rightsSchema.parse({}), {
    now: () => Number.NaN,
    failed: (_, thrown) => heard.push(thrown),
  });
  expect(rights.decide(who('admin'), 'health.read', '')).toEqual({
    isAllowed: false,
    policies: [],
    because: 'the policies could not be asked',
  });
  expect(heard).toMatchObject([{ code: 'run/failed' }]);
});

describe('by default', () => {
  let rights: ManagementRights;
  beforeAll(async () => {
    rights = await open();
  });
  const allowed = (...roles: string[]) => ACTIONS.filter((action) => rights.may(who(...roles), action, ''));

  it('each role may do what the list says, and admin all of it', () => {
    for (const role of MANAGEMENT_ROLES)
      expect(allowed(role)).toEqual(
        Object.entries(MANAGEMENT_ACTIONS).flatMap(([action, { roles }]) =>
          role === 'admin' || (roles as readonly string[]).includes(role) ? [action] : [],
        ),
      );
  });

  it('nobody else may do anything, whatever a key could ask models', () => {
    expect(allowed()).toEqual([]);
    expect(allowed('customer', 'Admin', 'admin ', 'for operator')).toEqual([]);
    const key = {
      ...who(),
      scope: { models: ['*'], operations: ['infer' as const], detail: 'logits' as const },
    };
    expect(ACTIONS.filter((action) => rights.may(key, action, ''))).toEqual([]);
    expect(rights.may({ ...who('admin'), kind: 'anonymous' }, 'health.read', '')).toBe(false);
  });

  it('auditors change nothing; who runs the service decides no reviews, and the other way round', () => {
    const changes = ACTIONS.filter(
      (action) => (MANAGEMENT_ACTIONS[action as 'keys.list'].kind as string) === 'change',
    );
    expect(allowed('auditor').filter((action) => changes.includes(action))).toEqual([]);
    expect(allowed('operator')).not.toContain('reviews.decide');
    expect(allowed('reviewer')).not.toContain('models.load');
    for (const action of ['roles.grant', 'budgets.change', 'subjects.erase'])
      for (const role of ['operator', 'auditor', 'reviewer']) expect(allowed(role)).not.toContain(action);
  });

  it('an action that does not exist is nobody’s', () => {
    for (const action of ['models.steal', 'read', 'change', 'for operator', '', '__proto__', 'constructor'])
      expect(rights.may(who('admin'), action, '')).toBe(false);
  });

  it('the policies that decided are known', () => {
    expect(rights.decide(who('operator', 'auditor'), 'keys.list', '::1')).toEqual({
      isAllowed: true,
      policies: expect.arrayContaining(['glacis/operator', 'glacis/auditor']),
      because: expect.stringMatching(/^allowed by /),
    });
    expect(rights.decide(who(), 'keys.list', '')).toMatchObject({
      isAllowed: false,
      because: 'no policy allows it',
    });
    expect(failures).toEqual([]);
  });
});

describe('policies of one’s own', () => {
  it('see networks and time, and are reloaded or kept', async () => {
    const file = join(folder, 'management.cedar');
    writeFileSync(
      file,
      `@id("ops") permit (principal in Tenant::"us", action in Action::"read", resource)
       when { context.address.isInRange(ip("10.0.0.0/8")) && context.now.toTime() < duration("18h") };`,
    );
    const rights = await open({ management: file });
    expect(rights.may(who('admin'), 'keys.create', '10.0.0.1')).toBe(false);
    expect(rights.may(who(), 'keys.list', '10.0.0.1')).toBe(true);
    expect(rights.may(who(), 'keys.list', '11.0.0.1')).toBe(false);
    expect(rights.may(who(), 'keys.list', 'nowhere')).toBe(false);
    writeFileSync(file, 'permit (principal, action == Action::"infer:label", resource);');
    await expect(rights.reload()).rejects.toMatchObject({ code: 'policy/invalid' });
    expect(rights.problem?.message).toContain('management.cedar:1:');
    expect(rights.may(who(), 'keys.list', '10.0.0.1')).toBe(true);
    const both = await open({
      management: rights.policies.length > 0 ? okay(file) : file,
      withManagementDefault: true,
    });
    expect(both.may(who('admin'), 'keys.create', '11.0.0.1')).toBe(true);
  });
});

function okay(file: string): string {
  writeFileSync(file, '@id("x") forbid (principal, action == Action::"log.payload", resource);');
  return file;
}
