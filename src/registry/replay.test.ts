import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { digestOf, signEnvelope } from './envelope.ts';
import { formatEvent, type RegistryEvent, type Roles } from './event.ts';
import { publicKeyText } from './party-key.ts';
import { beginState, nextState } from './replay.ts';
import { currentOf, type RegistryState } from './state.ts';

const ec = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const [alice, aliceSafe, bob, paul, mallory] = [
  ec(),
  generateKeyPairSync('ml-dsa-65').privateKey,
  ec(),
  ec(),
  ec(),
];
const party = (name: string, ...keys: readonly KeyObject[]) => ({ name, keys: keys.map(publicKeyText) });
const ROLES: Roles = {
  approvers: [party('alice', alice, aliceSafe), party('bob', bob)],
  publishers: [party('paul', paul)],
  threshold: 1,
  revocationThreshold: 1,
};
const AT = '2026-01-01T00:00:00.000Z';
const digest = (digit: string) => `sha256:${digit.repeat(64)}`;

function genesis(roles = ROLES, keys: readonly KeyObject[] = [bob]): Uint8Array {
  const event = formatEvent({
    schema: 'glacis.registry.event/1',
    kind: 'genesis',
    at: AT,
    origin: 'o',
    nonce: '0'.repeat(32),
    logKeys: ['k'],
    freshness: 0,
    blobs: '',
    encrypted: false,
    roles,
  });
  return signEnvelope(event, keys);
}

/** The state after these events, each signed with these keys. */
function stateAfter(
  events: readonly (readonly [object & { readonly kind: string }, ...KeyObject[]])[],
  roles = ROLES,
): RegistryState {
  const first = beginState(genesis(roles));
  return events.reduce((state, [event, ...keys]) => {
    const full = {
      schema: 'glacis.registry.event/1',
      at: AT,
      registry: first.genesis,
      ...event,
    } as RegistryEvent;
    return nextState(state, signEnvelope(formatEvent(full), keys));
  }, first);
}
const version = (name: string) => ({
  kind: 'version',
  model: 'net',
  version: name,
  digest: digest(name),
  manifest: digest(name),
  manifestSize: 1,
  size: 1,
  files: 1,
  evidence: [],
});
const promotion = (name: string, sequence: number, more = {}) => ({
  kind: 'promotion',
  model: 'net',
  alias: 'production',
  version: name,
  digest: digest(name),
  manifest: digest(name),
  sequence,
  evidence: [],
  ...more,
});
const current = (state: RegistryState) => currentOf(state, 'net', 'production')?.version;

describe('the state of a registry', () => {
  it('counts a signature only of who may give it', () => {
    expect(
      current(
        stateAfter([
          [version('1'), paul],
          [promotion('1', 1), bob],
        ]),
      ),
    ).toBe('1');
    expect(stateAfter([[version('1'), mallory]]).versions.size).toBe(0);
    expect(
      current(
        stateAfter([
          [version('1'), paul],
          [promotion('1', 1), paul],
        ]),
      ),
    ).toBeUndefined();
    expect(
      current(
        stateAfter([
          [version('1'), paul],
          [promotion('1', 1), mallory],
        ]),
      ),
    ).toBeUndefined();
  });

  it('counts who has two keys only with both: neither algorithm alone speaks for her', () => {
    for (const keys of [[alice], [aliceSafe]] as const)
      expect(
        current(
          stateAfter([
            [version('1'), paul],
            [promotion('1', 1), ...keys],
          ]),
        ),
      ).toBeUndefined();
    expect(
      current(
        stateAfter([
          [version('1'), paul],
          [promotion('1', 1), alice, aliceSafe],
        ]),
      ),
    ).toBe('1');
  });

  it('takes a change of an alias only with its next number', () => {
    const events = [
      [version('1'), paul],
      [version('2'), paul],
      [promotion('1', 1), bob],
    ] as const;
    for (const sequence of [1, 3])
      expect(current(stateAfter([...events, [promotion('2', sequence), bob]]))).toBe('1');
    expect(current(stateAfter([...events, [promotion('2', 2), bob]]))).toBe('2');
  });

  it('takes a promotion only of the bytes that were pushed', () => {
    for (const more of [{ digest: digest('9') }, { manifest: digest('9') }, { version: '9' }])
      expect(
        current(
          stateAfter([
            [version('1'), paul],
            [promotion('1', 1, more), bob],
          ]),
        ),
      ).toBeUndefined();
  });

  it('drops what waits when roles change: the old key of who got a new one does not count', () => {
    const two = {
      ...ROLES,
      approvers: [party('bob', bob), party('carl', paul)],
      publishers: [],
      threshold: 2,
    };
    const next = { ...two, approvers: [party('bob', mallory), party('carl', paul)] };
    const roles = { kind: 'roles', roles: next, sequence: 1, reason: 'key of bob was stolen' };
    const events = [
      [version('1'), bob],
      [promotion('1', 1), bob],
      [roles, bob, paul],
      [promotion('1', 1), paul],
    ] as const;
    const state = stateAfter(events, two);
    expect(current(state)).toBeUndefined();
    expect([...state.pending.values()].map(({ approvals }) => approvals)).toEqual([['carl']]);
  });

  it('keeps the first model of a version, and says what had no effect', () => {
    const state = stateAfter([
      [version('1'), paul],
      [{ ...version('1'), digest: digest('2') }, paul],
    ]);
    expect(state.versions.get('net\n1')?.digest).toBe(digest('1'));
    expect(state.problems).toEqual([{ index: 2, problem: 'expected a new version of net, got 1 again' }]);
  });

  it('keeps a refusal as a problem of the log, and a fault of the program as none', () => {
    const state = beginState(genesis());
    const entry = signEnvelope(
      formatEvent({
        schema: 'glacis.registry.event/1',
        at: AT,
        registry: state.genesis,
        ...version('1'),
      } as RegistryEvent),
      [paul],
    );
    expect(nextState(state, Buffer.from('rubbish')).problems).toHaveLength(1);
    const versions = new Map<string, never>();
    versions.has = () => {
      throw new RangeError('out of memory');
    };
    // An entry that was not judged must not look like one that was refused.
    expect(() => nextState({ ...state, versions }, entry)).toThrow(RangeError);
  });

  it('begins only with a genesis event that an approver signed, and the one that is expected', () => {
    expect(() => beginState(genesis(ROLES, [mallory]))).toThrow('signature of an approver');
    expect(() => beginState(genesis(), digest('0'))).toThrow('begins with');
    expect(() => beginState(signEnvelope(Buffer.from('{}'), [bob]))).toThrow('kind');
    expect(() => beginState(Buffer.from('rubbish'))).toThrow('envelope');
    const payload = Buffer.from(
      (JSON.parse(Buffer.from(genesis()).toString()) as { payload: string }).payload,
      'base64',
    );
    expect(beginState(genesis()).genesis).toBe(digestOf(payload));
  });

  it.each([
    ['a key twice', { approvers: [party('a', bob), party('b', bob)] }],
    ['a name twice', { approvers: [party('a', bob), party('a', alice)] }],
    ['a threshold that nobody reaches', { threshold: 3 }],
    ['a threshold of none', { threshold: 0 }],
    ['no approver', { approvers: [] }],
    ['an unknown field', { admin: 'me' }],
  ])('refuses roles with %s', (_, change) => {
    expect(() => genesis({ ...ROLES, ...change } as Roles)).toThrow(
      expect.objectContaining({ code: 'registry/invalid' }),
    );
  });
});

describe('a freeze', () => {
  const freeze = (sequence: number) => ({ kind: 'freeze', sequence, reason: 'incident' });
  const thaw = (sequence: number) => ({ kind: 'thaw', sequence, reason: 'over' });
  const alias = (state: RegistryState) => currentOf(state, 'net', 'production')?.version;

  it('keeps promotions out, with its reason, until it is thawed; going back and revoking stay possible', () => {
    const begun = [
      [version('1'), paul],
      [version('2'), paul],
      [promotion('1', 1), bob],
      [promotion('2', 2), bob],
      [freeze(1), bob],
    ] as const;
    const frozen = stateAfter([...begun, [version('3'), paul], [promotion('3', 3), bob]]);
    expect(alias(frozen)).toBe('2');
    expect(frozen.frozen).toMatchObject({ reason: 'incident', by: ['bob'] });
    expect(frozen.problems).toMatchObject([{ index: 7, problem: expect.stringContaining('incident') }]);
    const back = stateAfter([...begun, [{ ...promotion('1', 3), kind: 'rollback', reason: 'bad' }, bob]]);
    expect(alias(back)).toBe('1');
    const thawed = stateAfter([...begun, [thaw(2), bob], [version('3'), paul], [promotion('3', 3), bob]]);
    expect(alias(thawed)).toBe('3');
    expect(thawed.problems).toEqual([]);
  });

  it('needs as few approvers as a revocation, and a thaw as many as a promotion', () => {
    const roles = { ...ROLES, threshold: 2 };
    const frozen = stateAfter([[freeze(1), bob]], roles);
    expect(frozen.frozen).toBeDefined();
    const half = stateAfter(
      [
        [freeze(1), bob],
        [thaw(2), bob],
      ],
      roles,
    );
    expect(half.frozen).toBeDefined();
    expect([...half.pending.values()]).toMatchObject([{ approvals: ['bob'], needed: 2 }]);
    const both = stateAfter(
      [
        [freeze(1), bob],
        [thaw(2), bob],
        [thaw(2), alice, aliceSafe],
      ],
      roles,
    );
    expect(both.frozen).toBeUndefined();
  });

  it('voids promotions that were waiting for signatures', () => {
    const roles = { ...ROLES, threshold: 2 };
    const state = stateAfter(
      [
        [version('1'), paul],
        [promotion('1', 1), bob],
        [freeze(1), bob],
        [thaw(2), bob],
        [thaw(2), alice, aliceSafe],
        [promotion('1', 1), alice, aliceSafe],
      ],
      roles,
    );
    expect(alias(state)).toBeUndefined();
    expect([...state.pending.values()]).toMatchObject([{ approvals: ['alice'] }]);
  });

  it.each<[string, readonly (readonly [object & { readonly kind: string }, ...KeyObject[]])[]]>([
    ['by a publisher', [[freeze(1), paul]]],
    ['by a stranger', [[freeze(1), mallory]]],
    [
      'twice',
      [
        [freeze(1), bob],
        [freeze(2), bob],
      ],
    ],
    [
      'again, as somebody heard it before',
      [
        [freeze(1), bob],
        [thaw(2), bob],
        [freeze(1), bob],
      ],
    ],
    ['taken back without being there', [[thaw(1), bob]]],
  ])('%s has no effect', (_, events) => {
    expect(stateAfter(events).problems).toHaveLength(1);
  });
});
