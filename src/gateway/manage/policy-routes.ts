import { createHash } from 'node:crypto';
import { asGlacisError } from '../../core/error.ts';
import type { Decision } from '../../policy/gate/decision.ts';
import { readPolicyText } from '../../policy/policy-file.ts';
import type { Policy } from '../../policy/read-policy.ts';
import { gateStanding } from '../backend/admission/gate-standing.ts';
import type { PolicyView } from '../console/api.ts';
import { type PolicyFacts, policyView } from '../console/policy/policy-view.ts';
import { type ManagementRoute, route } from './route.ts';

/** What the routes of the policy stand on. */
export interface PolicyParts extends Omit<PolicyFacts, 'standing'> {
  /** The file with the configuration, where there is one. */
  readonly file: string | undefined;
  /** The policy in force, from the same file. */
  readonly policy: () => Policy | undefined;
  /** What relative paths start from. */
  readonly folder: string;
  readonly now: () => number;
}

/** For how long a model's standing is good, in milliseconds: finding it means reading model and evidence. */
const GOOD = 300_000;
const MOST_KEPT = 100;

/** What is required of models, guards and callers, and how that stands. */
export function policyRoutes(parts: PolicyParts): readonly ManagementRoute[] {
  const { file, folder, now, policy, config } = parts;
  const kept = new Map<
    string,
    { readonly at: number; readonly standing: Promise<readonly Decision[] | string> }
  >();
  const standing: PolicyFacts['standing'] = (model, version, source, digest) => {
    const own = policy();
    const key = JSON.stringify([model, version, digest, source, own?.entries, own?.exceptions]);
    const before = kept.get(key);
    if (before !== undefined && now() - before.at < GOOD) return before.standing;
    const found = gateStanding({
      ...{ model, config: source, policy: own, folder },
      ...{ most: config().memory, now: now() },
    }).catch((thrown: unknown) => asGlacisError(thrown, 'run/failed', model).message);
    while (kept.size >= MOST_KEPT) kept.delete(kept.keys().next().value!);
    kept.set(key, { at: now(), standing: found });
    return found;
  };
  return [
    route({
      method: 'GET',
      path: '/api/policy',
      about:
        'What is required of each model and whether it is met; rules, guards, budgets and rates in force.',
      action: 'policy.read',
      async run() {
        const read = file === undefined ? undefined : await readPolicyText(file).catch(() => undefined);
        const view: PolicyView = {
          text: read?.text,
          digest: read && `sha256:${createHash('sha256').update(read.bytes).digest('hex')}`,
          ...(await policyView({ ...parts, standing })),
        };
        return { json: view };
      },
    }),
  ];
}
