import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DETAILS } from '../detail.ts';
import type { Principal } from '../principal.ts';
import { Refused } from '../refusal.ts';
import { OPERATIONS } from '../rights.ts';
import { rightsSchema } from './config-schema.ts';
import { type GatewayRights, openRights, versionId } from './open-rights.ts';

const folder = mkdtempSync(join(tmpdir(), 'glacis-rights-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let at = Date.parse('2026-11-21T10:00:00Z');
let ticks = 0;
const failures: unknown[] = [];
let files = 0;

/** Rights by these policies. */
async function rightsBy(
  text: string | undefined,
  over: object = {},
): Promise<GatewayRights & { file: string }> {
  const file = join(folder, `p${files++}.cedar`);
  if (text !== undefined) writeFileSync(file, text);
  const config = rightsSchema.parse({ ...(text !== undefined && { policies: file }), ...over });
  const rights = await openRights(config, {
    now: () => at,
    clock: () => ticks,
    failed: (_, thrown) => failures.push(thrown),
  });
  return Object.create(rights, { file: { value: file } });
}

const who = (over: Partial<Principal> = {}): Principal => ({
  id: 'ann',
  tenant: 'acme',
  credential: 'k1',
  kind: 'token',
  roles: [],
  ...over,
});
const ask = (model = 'mnist', over: object = {}) => ({
  model,
  version: '1',
  operation: 'infer' as const,
  address: '192.0.2.7',
  ...over,
});

describe('without policies', () => {
  let rights: GatewayRights;
  beforeAll(async () => {
    rights = await rightsBy(undefined);
  });
  const key = who({
    kind: 'key',
    scope: { models: ['mnist'], operations: ['infer', 'ready'], detail: 'topk' },
  });

  it('a key may do what its scope says, and nothing else', () => {
    expect(rights.decide(key, ask()).detail).toBe('topk');
    expect(rights.decide(key, ask('mnist', { operation: 'ready' })).detail).toBe('label');
    expect(rights.decide(key, ask('mnist', { operation: 'metadata' })).detail).toBeUndefined();
    expect(rights.decide(key, ask('other')).detail).toBeUndefined();
    expect(rights.decide(key, ask('mnist', { version: undefined })).detail).toBe('topk');
    expect(rights.decide(key, ask('other')).because).toBe("outside the credential's scope");
    expect(rights.decide(key, ask())).toEqual({
      detail: 'topk',
      policies: ['glacis/scope'],
      because: 'allowed by glacis/scope',
    });
  });

  it('a star is any model', () => {
    const any = who({ scope: { models: ['*'], operations: ['infer'], detail: 'label' } });
    expect(rights.decide(any, ask('whatever')).detail).toBe('label');
  });

  it('whoever has no scope may do nothing', () => {
    for (const kind of ['key', 'token', 'certificate', 'anonymous'] as const)
      for (const operation of OPERATIONS)
        expect(
          rights.decide(who({ kind, roles: ['admin'] }), ask('mnist', { operation })).detail,
        ).toBeUndefined();
    expect(rights.decide(who(), ask()).because).toBe('no policy allows it');
  });
});

describe('detail', () => {
  it('that is permitted permits all that tells less', async () => {
    const rights = await rightsBy('permit (principal, action in Action::"infer:scores", resource);');
    expect(rights.decide(who(), ask()).detail).toBe('scores');
    for (const detail of DETAILS)
      expect(
        rights.decide(who({ scope: { models: ['*'], operations: ['infer'], detail } }), ask()).detail,
      ).toBe(DETAILS.indexOf(detail) < 2 ? detail : 'scores');
  });

  it('that is forbidden forbids all that tells more', async () => {
    const rights = await rightsBy(`
      permit (principal, action in Action::"infer", resource);
      @id("cap") forbid (principal in Tenant::"acme", action == Action::"infer:logits", resource);`);
    expect(rights.decide(who(), ask()).detail).toBe('scores');
    expect(rights.decide(who({ tenant: 'other' }), ask()).detail).toBe('explanation');
    expect(rights.decide(who(), ask('mnist', { operation: 'metadata' })).detail).toBeUndefined();
  });

  it('is never more than the scope, whatever policies say', async () => {
    const rights = await rightsBy('permit (principal, action, resource);');
    const narrow = who({ scope: { models: ['a'], operations: ['metadata', 'infer'], detail: 'label' } });
    expect(rights.decide(narrow, ask('a')).detail).toBe('label');
    expect(rights.decide(narrow, ask('b')).detail).toBeUndefined();
    expect(rights.decide(narrow, ask('a', { operation: 'ready' })).detail).toBeUndefined();
  });
});

describe('policies', () => {
  it('speak of tenants, roles, kinds, credentials, models and versions', async () => {
    const rights = await rightsBy(`
      permit (principal in Tenant::"acme", action, resource in Model::"mnist");
      permit (principal in Role::"tester", action, resource) when { resource.name like "test-*" };
      permit (principal == Principal::"bob", action, resource == ModelVersion::"fraud/2");
      @id("stolen") forbid (principal, action, resource) when { principal.credential == "k9" };
      forbid (principal, action, resource) when { principal.kind == "anonymous" };`);
    expect(rights.decide(who(), ask()).detail).toBe('explanation');
    expect(rights.decide(who({ tenant: 'x' }), ask()).detail).toBeUndefined();
    expect(rights.decide(who({ tenant: 'x', roles: ['a', 'tester'] }), ask('test-7')).detail).toBe(
      'explanation',
    );
    expect(rights.decide(who({ id: 'bob' }), ask('fraud', { version: '2' })).detail).toBe('explanation');
    expect(rights.decide(who({ id: 'bob' }), ask('fraud', { version: '1' })).detail).toBeUndefined();
    expect(rights.decide(who({ id: 'bob' }), ask('fraud', { version: undefined })).detail).toBeUndefined();
    expect(rights.decide(who({ kind: 'anonymous' }), ask()).detail).toBeUndefined();
    expect(rights.decide(who({ credential: 'k9' }), ask())).toEqual({
      detail: undefined,
      policies: ['stolen'],
      because: 'forbidden by stolen',
    });
  });

  it('see networks; who has no address is refused where they do', async () => {
    const rights = await rightsBy(`
      permit (principal, action, resource) when {
        context.address.isInRange(ip("10.0.0.0/8")) || context.address.isInRange(ip("2001:db8::/32"))
      };`);
    const from = (address: string) => rights.decide(who(), ask('mnist', { address })).detail !== undefined;
    expect(from('10.1.2.3')).toBe(true);
    expect(from('::ffff:10.1.2.3')).toBe(true);
    expect(from('2001:db8::1%eth0')).toBe(true);
    expect(from('11.1.2.3')).toBe(false);
    expect(from('')).toBe(false);
    expect(from('10.1.2.3, 11.1.1.1')).toBe(false);
  });

  it('that forbid networks forbid who has no address', async () => {
    const rights = await rightsBy(`
      permit (principal, action, resource);
      forbid (principal, action, resource) when { context.address.isInRange(ip("10.0.0.0/8")) };`);
    expect(rights.decide(who(), ask()).detail).toBe('explanation');
    expect(rights.decide(who(), ask('mnist', { address: '' })).detail).toBeUndefined();
    expect(rights.decide(who(), ask('mnist', { address: 'x' })).because).toMatch('there is none');
  });

  it('that take the context as a whole see all of it', async () => {
    const rights = await rightsBy(`
      permit (principal, action, resource)
      when { (if principal.scoped then context else context).address.isInRange(ip("10.0.0.0/8")) };`);
    expect(rights.decide(who(), ask('mnist', { address: '10.0.0.1' })).detail).toBe('explanation');
    expect(rights.decide(who(), ask('mnist', { address: '11.0.0.1' })).detail).toBeUndefined();
  });

  it('see the time, in steps', async () => {
    const rights = await rightsBy(
      'permit (principal, action, resource) when { context.now.toTime() < duration("12h") };',
    );
    expect(rights.decide(who(), ask()).detail).toBe('explanation');
    at += 2 * 3_600_000;
    expect(rights.decide(who(), ask()).detail).toBeUndefined();
    at -= 3_600_000;
    expect(rights.decide(who(), ask()).detail).toBe('explanation');
  });

  it('that cannot be evaluated forbid', async () => {
    const rights = await rightsBy(`
      permit (principal, action, resource);
      @id("overflow") forbid (principal, action, resource)
      when { context.now.toTime().toMilliseconds() + 9223372036854775807 > 0 };`);
    at += 1;
    expect(rights.decide(who(), ask())).toMatchObject({ detail: undefined, policies: ['overflow'] });
  });

  it('that cannot be asked forbid, and the operator hears of it', async () => {
    const rights = await rightsBy(
      'permit (principal, action, resource) when { context.now > datetime("2020-01-01") };',
    );
    expect(rights.decide(who(), ask()).detail).toBe('explanation');
    const before = at;
    // A clock that is none: there is no such time in the policies' language.
    at = Number.NaN;
    expect(rights.decide(who(), ask())).toEqual({
      detail: undefined,
      policies: [],
      because: 'the policies could not be asked',
    });
    at = before;
    expect(failures.splice(0)).toMatchObject([{ code: 'run/failed' }]);
  });
});

describe('a decision', () => {
  it('is made once, for every address and time where no policy looks at them', async () => {
    const rights = await rightsBy('permit (principal, action, resource);');
    rights.decide(who(), ask()).detail;
    const { evaluations } = rights.state;
    expect(evaluations).toBe(5);
    for (let i = 0; i < 50; i++) {
      at += 100_000;
      rights.decide(who(), ask('mnist', { address: `192.0.2.${i}` })).detail;
    }
    expect(rights.state.evaluations).toBe(evaluations);
  });

  it('is made anew for each thing that policies can see', async () => {
    const rights = await rightsBy(
      'permit (principal, action, resource) when { context has address && context.now > datetime("2020-01-01") };',
    );
    let before = 0;
    for (const [principal, what] of [
      [who(), ask()],
      [who({ id: 'bob' }), ask()],
      [who({ tenant: 'x' }), ask()],
      [who({ roles: ['r'] }), ask()],
      [who({ kind: 'certificate' }), ask()],
      [who({ credential: 'k2' }), ask()],
      [who({ scope: { models: ['*'], operations: ['infer'], detail: 'label' } }), ask()],
      [who(), ask('other')],
      [who(), ask('mnist', { version: '2' })],
      [who(), ask('mnist', { version: undefined })],
      [who(), ask('mnist', { operation: 'ready' })],
      [who(), ask('mnist', { address: '192.0.2.8' })],
    ] as const) {
      rights.decide(principal, what).detail;
      expect(rights.state.evaluations).toBeGreaterThan(before);
      before = rights.state.evaluations;
      rights.decide(principal, what).detail;
      expect(rights.state.evaluations).toBe(before);
    }
    at += 60_000;
    rights.decide(who(), ask()).detail;
    expect(rights.state.evaluations).toBeGreaterThan(before);
  });

  it('is remembered in bounded memory, and nobody can have endlessly many made', async () => {
    const rights = await rightsBy(undefined, { remember: 100 });
    const key = who({ scope: { models: ['*'], operations: ['infer'], detail: 'label' } });
    for (let i = 0; i < 256; i++) rights.decide(key, ask(`m${i}`)).detail;
    expect(rights.state.remembered).toBeLessThanOrEqual(100);
    expect(() => rights.decide(key, ask('one more')).detail).toThrow(Refused);
    expect(rights.decide(key, ask('m255')).detail).toBe('label');
    expect(rights.decide(who({ ...key, id: 'bob' }), ask('one more')).detail).toBe('label');
    ticks += 1000;
    expect(rights.decide(key, ask('one more')).detail).toBe('label');
    expect(rights.decide(key, ask('x'.repeat(600))).detail).toBeUndefined();
  });
});

describe('policy files', () => {
  it('come from folders, in order, and change without a restart', async () => {
    const place = join(folder, 'set');
    mkdirSync(place);
    writeFileSync(
      join(place, 'b.cedar'),
      '@id("b") permit (principal, action == Action::"ready", resource);',
    );
    writeFileSync(
      join(place, 'a.cedar'),
      '// first\n\npermit (principal, action == Action::"metadata", resource);',
    );
    writeFileSync(join(place, 'notes.txt'), 'nothing');
    const rights = await rightsBy(undefined, { policies: [place] });
    expect(rights.policies.map(({ id }) => id)).toEqual(['a.cedar:3', 'b']);
    expect(rights.decide(who(), ask('mnist', { operation: 'ready' })).detail).toBe('label');
    writeFileSync(
      join(place, 'b.cedar'),
      '@id("c") forbid (principal, action == Action::"ready", resource);',
    );
    const { digest } = rights;
    const putInForce = await rights.prepare();
    expect(rights.digest).toBe(digest);
    expect(rights.decide(who(), ask('mnist', { operation: 'ready' })).detail).toBe('label');
    putInForce();
    expect(rights.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(rights.digest).not.toBe(digest);
    expect(rights.decide(who(), ask('mnist', { operation: 'ready' })).detail).toBeUndefined();
    expect(rights.policies.map(({ id }) => id)).toEqual(['a.cedar:3', 'c']);
  });

  it('that are broken leave the old ones in force, and say where', async () => {
    const rights = await rightsBy('@id("old") permit (principal, action, resource);');
    writeFileSync(rights.file, 'permit (principal, action, resource) when { resource.nam == "ä" };\n');
    await expect(rights.reload()).rejects.toMatchObject({ code: 'policy/invalid' });
    expect(rights.problem?.message).toMatch(/^p\d+\.cedar:1:45: attribute `nam`/);
    expect(rights.decide(who(), ask()).detail).toBe('explanation');
    rmSync(rights.file);
    await expect(rights.reload()).rejects.toMatchObject({ code: 'policy/invalid' });
    expect(rights.decide(who(), ask()).detail).toBe('explanation');
    writeFileSync(rights.file, 'forbid (principal, action, resource);\n');
    await rights.reload();
    expect(rights.problem).toBeUndefined();
    expect(rights.decide(who(), ask()).detail).toBeUndefined();
  });

  it('that would break the library leave the old ones in force', async () => {
    const rights = await rightsBy('@id("old") permit (principal, action, resource);');
    const deep = (n: number) => `${'('.repeat(n)}true${')'.repeat(n)}`;
    const long = (n: number) => Array(n).fill('principal.scoped').join(' || ');
    for (const condition of [deep(25), deep(20_000), long(50), long(20_000), `[${'['.repeat(500)}`]) {
      writeFileSync(rights.file, `// "\n\npermit (principal, action, resource) when { ${condition} };\n`);
      await expect(rights.reload()).rejects.toMatchObject({
        code: 'policy/invalid',
        message: expect.stringMatching(/:3: expected a policy of at most/),
      });
      expect(rights.decide(who({ id: condition.slice(0, 20) }), ask(`${condition.length}`)).detail).toBe(
        'explanation',
      );
    }
    for (const condition of [deep(22), long(39), `[${Array(2000).fill('"a"')}].contains("a")`]) {
      writeFileSync(rights.file, `permit (principal, action, resource) when { ${condition} };\n`.repeat(3));
      await rights.reload();
      expect(rights.decide(who({ id: condition.slice(0, 20) }), ask()).because).not.toMatch(
        'could not be asked',
      );
    }
    expect(failures).toEqual([]);
  });

  it('hold beside the default where that is said', async () => {
    const text = '@id("extra") permit (principal == Principal::"bob", action, resource);';
    const key = who({ scope: { models: ['*'], operations: ['infer'], detail: 'label' } });
    expect((await rightsBy(text)).decide(key, ask()).detail).toBeUndefined();
    expect((await rightsBy(text, { withDefault: true })).decide(key, ask()).detail).toBe('label');
  });

  it('are refused where they are not there, empty, binary or endless', async () => {
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    const binary = join(folder, 'binary.cedar');
    writeFileSync(
      binary,
      Buffer.concat([Buffer.from('permit (principal, action, resource); //'), Buffer.from([0xff])]),
    );
    const long = join(folder, 'long.cedar');
    writeFileSync(long, `permit (principal, action, resource); //${'x'.repeat(1 << 20)}`);
    for (const path of [join(folder, 'nowhere'), empty, binary, long])
      await expect(rightsBy(undefined, { policies: path })).rejects.toMatchObject({ code: 'policy/invalid' });
  });
});

describe('names that somebody chose', () => {
  it('cannot pass for another version', () => {
    expect(versionId('a/b', 'c')).not.toBe(versionId('a', 'b/c'));
    expect(versionId('a%2Fb', 'c')).not.toBe(versionId('a/b', 'c'));
    expect(versionId('mnist', '3')).toBe('mnist/3');
  });

  it('are names like any other', async () => {
    const rights = await rightsBy('permit (principal, action, resource in Model::"mnist");');
    for (const name of ['"', '\\', '\0', '\n', '\u2028', '😀', '__proto__', '*', 'Model::"mnist"']) {
      const bearer = who({ id: name, tenant: name, roles: [name] });
      expect(rights.decide(bearer, ask(name, { version: name })).detail).toBeUndefined();
      expect(rights.decide(who({ id: name }), ask('mnist', { version: name })).detail).toBe('explanation');
    }
    expect(failures).toEqual([]);
  });
});

it('whatever a request or a token holds is decided, and breaks nothing', async () => {
  const rights = await rightsBy('permit (principal, action, resource in Model::"mnist");');
  const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.string({ maxLength: 600 }));
  fc.assert(
    fc.property(text, text, text, fc.constantFrom(...OPERATIONS), (model, version, id, operation) => {
      ticks += 100_000;
      fc.pre(id.isWellFormed());
      expect(
        rights.decide(who({ id, roles: [id] }), ask(model, { version, operation, address: id })).detail,
      ).toBeUndefined();
    }),
    { numRuns: 10 },
  );
  expect(rights.decide(who({ id: 'after' }), ask()).detail).toBe('explanation');
  expect(failures).toEqual([]);
});

it('half a surrogate pair names no model, and is nothing to report', async () => {
  const rights = await rightsBy('permit (principal, action, resource);');
  expect(rights.decide(who(), ask('\ud800')).detail).toBeUndefined();
  expect(rights.decide(who(), ask('mnist', { version: 'a\udc00' })).detail).toBeUndefined();
  expect(failures).toEqual([]);
});

describe('abuse 20: which models exist', () => {
  const policies = `
    permit (principal, action, resource);
    forbid (principal, action, resource) when { resource.name == "secret" };`;
  const scoped = who({
    scope: { models: ['mnist', 'secret'], operations: ['infer', 'metadata'], detail: 'topk' },
  });

  it.each([
    ['a principal without a scope', who()],
    ['a scoped one', scoped],
  ])('shows neither in the answer nor in the work: %s', async (_, principal) => {
    const rights = await rightsBy(policies);
    for (const operation of OPERATIONS) {
      const work = (model: string) => {
        const before = rights.state;
        const detail = rights.decide(principal, ask(model, { operation })).detail;
        const evaluations = rights.state.evaluations - before.evaluations;
        const remembered = rights.state.remembered - before.remembered;
        rights.decide(principal, ask(model, { operation })).detail;
        return {
          detail,
          evaluations,
          remembered,
          again: rights.state.evaluations - before.evaluations - evaluations,
        };
      };
      const forbidden = work('secret');
      const { detail, ...allowed } = work(principal === scoped ? 'mnist' : 'no such model');
      const { detail: none, ...outside } = work('neither');
      expect(forbidden.detail).toBeUndefined();
      expect({ ...allowed, detail: undefined }).toEqual(forbidden);
      expect({ ...outside, detail: undefined }).toEqual(forbidden);
      expect(forbidden.again).toBe(0);
      void [detail, none];
    }
  });
});
