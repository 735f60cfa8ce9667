import type { Decision } from '../decision.ts';
import { type RecordConfig, recordSchema } from './config-schema.ts';

/** The configuration that a text of `serve.log` gives. */
export function recordConfig(given: object = {}): RecordConfig {
  return recordSchema.parse({ origin: 'example.com/decisions', publishEvery: '20 ms', ...given });
}

/** A decision with everything in it; `change` what matters. */
export function decision(i: number, change: Partial<Decision> = {}): Decision {
  return {
    kind: 'decision',
    id: i.toString(16).padStart(32, '0'),
    at: 1_700_000_000_000 + i,
    principal: `client-${i % 3}`,
    tenant: 'acme',
    credential: 'key-1',
    address: '192.0.2.7',
    model: 'mnist-cnn',
    version: '1',
    digest: `sha256:${'ab'.repeat(32)}`,
    n: 1,
    outcome: 'answered',
    detail: 'scores',
    guards: [{ guard: 'entropy', action: 'pass', score: 0.25 }],
    input: { shape: [1, 1, 28, 28], mean: 0.13, deviation: 0.3, least: 0, most: 1 },
    top: [[7, 0.998]],
    bucket: 5,
    ...change,
  };
}
