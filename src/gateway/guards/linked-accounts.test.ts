import { describe, expect, test } from 'vitest';
import { randomFrom } from '../../core/random.ts';
import { calibrateClients } from '../../detect/clients/calibrate-clients.ts';
import type { ClientDetector } from '../../detect/clients/client-detector.ts';
import { pradaClients } from '../../detect/clients/prada.ts';
import { similarClients } from '../../detect/clients/similar-queries.ts';
import type { Observations } from '../../detect/detector.ts';
import { calmClients, observed, samples, WATCHED } from '../../detect/extraction/clients.fixture.ts';
import { modelFixture } from '../pipeline.fixture.ts';
import { GUARDS } from './registry.ts';

const MEMORY = { salt: 1, capacity: 4096, askers: 256 };
const KEYS = 10;
const PARENTS = 200;
const [SIZE, CLASSES] = [16, 3];
const parts = {
  fit: calmClients(20, 200, 1),
  threshold: calmClients(40, 200, 2),
  heldOut: calmClients(20, 200, 3),
};
const model = modelFixture({
  classifier: {
    input: 'x',
    sampleDims: [SIZE],
    output: 'y',
    classes: CLASSES,
    gives: 'logits',
    features: SIZE,
  },
});

/** Jacobian-based augmentation, as its queries look: samples, and each of them again a step further, twice. */
function augmented(): Observations {
  const rng = randomFrom(5, 'attack');
  const parents = samples(PARENTS, rng);
  const child = (step: number) => parents.map((v) => v + (rng.integer(2) === 0 ? step : -step));
  return observed(Float32Array.from([...parents, ...child(0.1), ...child(0.1)]));
}
/** What a key sends: no child goes out with the key of its parent. */
const keyOf = (i: number) => `key ${(i + 3 * Math.floor(i / PARENTS)) % KEYS}`;

function guardFor<Fit>(detector: ClientDetector<Fit>, by: string) {
  const { kind } = GUARDS.find(({ kind: each }) => each.name === detector.id)!;
  const calibration = calibrateClients(detector, WATCHED, parts, [0.05], MEMORY, () => [0, 1]);
  return kind.make(kind.options.parse({ by, falsePositiveRate: 0.05 }), {
    ...{ model, calibration, ask: async () => new Float32Array(0), now: () => 0 },
  });
}

/** Queries until the guard acts; undefined where it never does. */
async function foundAfter(
  guard: ReturnType<typeof guardFor>,
  queries: Observations,
  who: (i: number) => { readonly id: string; readonly tenant: string; readonly address?: string },
): Promise<number | undefined> {
  const part = (values: Float32Array, i: number, width: number) =>
    values.subarray(i * width, (i + 1) * width);
  for (let i = 0; i < queries.n; i++) {
    const { id, tenant, address = '192.0.2.7' } = who(i);
    const { action } = await guard.judge({
      ...{ model, classifier: model.classifier, n: 1, inputs: [], parameters: {}, now: 1000 * i },
      principal: { id, tenant, credential: id, kind: 'key', roles: [] },
      address,
      floats: () => part(queries.x, i, SIZE),
      scores: () => part(queries.scores, i, CLASSES),
      features: part(queries.features!, i, SIZE),
    });
    if (action !== 'pass') return i + 1;
  }
  return undefined;
}

describe.each([
  ['similar-queries', similarClients as ClientDetector<unknown>],
  ['prada', pradaClients as ClientDetector<unknown>],
])('%s', (_, detector) => {
  const attack = augmented();
  const inOneTenant = (i: number) => ({ id: keyOf(i), tenant: 'eve' });

  test('finds a copy that one key makes', async () => {
    const found = await foundAfter(guardFor(detector, 'principal'), attack, () => ({
      id: 'eve',
      tenant: 'eve',
    }));
    expect(found).toBeLessThanOrEqual(attack.n);
  });

  test('finds one that is split over ten keys where the accounts of a tenant are linked, and not where each is looked at alone', async () => {
    expect(await foundAfter(guardFor(detector, 'principal'), attack, inOneTenant)).toBeUndefined();
    expect(await foundAfter(guardFor(detector, 'tenant'), attack, inOneTenant)).toBeLessThanOrEqual(attack.n);
  });

  test('finds one that is split over ten keys of as many tenants where their address links them, and not where each comes from its own', async () => {
    const inTenTenants = (i: number) => ({ id: keyOf(i), tenant: keyOf(i), address: '2001:db8::7' });
    // Other addresses of the same /64 are the same party.
    const inOneNetwork = (i: number) => ({ ...inTenTenants(i), address: `2001:db8::${(i % 9) + 1}` });
    const apart = (i: number) => ({ ...inTenTenants(i), address: `192.0.2.${keyOf(i).slice(4)}` });
    expect(await foundAfter(guardFor(detector, 'tenant'), attack, inTenTenants)).toBeUndefined();
    expect(await foundAfter(guardFor(detector, 'address'), attack, inTenTenants)).toBeLessThanOrEqual(
      attack.n,
    );
    expect(await foundAfter(guardFor(detector, 'address'), attack, inOneNetwork)).toBeLessThanOrEqual(
      attack.n,
    );
    expect(await foundAfter(guardFor(detector, 'address'), attack, apart)).toBeUndefined();
  });

  test('does not take callers of no known address for one', async () => {
    const nowhere = (i: number) => ({ id: keyOf(i), tenant: 'eve', address: '' });
    expect(await foundAfter(guardFor(detector, 'address'), attack, nowhere)).toBeUndefined();
  });

  test('leaves a calm tenant of ten keys alone', async () => {
    const calm = observed(samples(400, randomFrom(6, 'calm')));
    expect(await foundAfter(guardFor(detector, 'tenant'), calm, inOneTenant)).toBeUndefined();
  });
});
