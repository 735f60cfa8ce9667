import { GlacisError } from '../../../core/error.ts';
import type { Order } from '../../../incident/order.ts';
import type { Decision } from '../../../policy/gate/decision.ts';
import type { PassedCheck } from '../../backend/admission/passed-check.ts';
import { type VersionConfig, versionsOf } from '../../backend/config-schema.ts';
import type { NotLoaded } from '../../backend/load-version.ts';
import type { Backends } from '../../backend/open-backends.ts';
import type { ServeConfig } from '../../config/serve-schema.ts';
import type { InputGuard } from '../../guard.ts';
import { GUARDS } from '../../guards/registry.ts';
import type { PolicySet } from '../../identity/policy-set.ts';
import type { ServedModel } from '../../served-model.ts';
import type { PolicyView, RequirementView } from '../api.ts';

/** What a view of the policies is made from. */
export interface PolicyFacts {
  readonly config: () => ServeConfig;
  readonly backends: Pick<Backends, 'status' | 'find'>;
  /** Versions that were not admitted. */
  readonly notLoaded: () => readonly NotLoaded[];
  readonly guards: (model: ServedModel) => readonly InputGuard[];
  /** A guard that is not on, as it would be. Errors: `option/invalid` where the model cannot have it. */
  readonly trialGuard: (model: ServedModel, guard: string) => InputGuard;
  readonly rights: Pick<PolicySet, 'policies' | 'digest' | 'problem'>;
  readonly management: Pick<PolicySet, 'policies' | 'digest' | 'problem'>;
  /** Measures in force. */
  readonly orders: () => readonly Order[];
  /** How a version stands with the policy at each stage; a reason in place of it where that cannot be told. */
  readonly standing: (
    model: string,
    version: string,
    config: VersionConfig,
    digest: string | undefined,
  ) => Promise<readonly Decision[] | string>;
}

/** Texts of rules that are shown of one side. */
const MOST_RULES = 500;

/** What is required and met, as it stands now. */
export async function policyView(facts: PolicyFacts): Promise<Omit<PolicyView, 'text' | 'digest'>> {
  const { config, rights, management } = facts;
  const { budgets, rates } = config();
  return {
    models: await modelsOf(facts),
    rights: [sideOf('public', rights), sideOf('management', management)],
    guards: guardsOf(facts),
    budgets: budgets.limits.map(({ per, who, models, queries, window, together }) => ({
      ...{ per, who, models, queries, window, together },
    })),
    rates: rates.limits,
  };
}

async function modelsOf({
  config,
  backends,
  notLoaded,
  standing,
}: PolicyFacts): Promise<PolicyView['models']> {
  const { models } = config();
  const status = backends.status();
  const refused = notLoaded();
  const views: PolicyView['models'][number][] = [];
  for (const [model, given] of Object.entries(models))
    for (const [version, source] of versionsOf(given)) {
      const loaded = status
        .find((each) => each.model === model)
        ?.versions.find((each) => each.version === version);
      const why =
        loaded?.stopped ?? refused.find((each) => each.model === model && each.version === version)?.because;
      const decisions = await standing(model, version, source, loaded?.digest);
      views.push({
        ...{ model, version, digest: loaded?.digest, stage: source.check?.gate?.stage },
        served: loaded !== undefined && loaded.stopped === undefined,
        requirements: [
          ...checksOf(source, loaded?.checks, why),
          ...(typeof decisions === 'string'
            ? [
                {
                  name: 'policy',
                  says: 'What the policy asks for',
                  state: 'missing' as const,
                  because: decisions,
                },
              ]
            : decisions.flatMap(requirementsOf)),
        ],
      });
    }
  return views;
}

const SAYS: Readonly<Record<PassedCheck['check'], string>> = {
  digest: 'The model has the digest that the configuration names',
  signature: 'Somebody whom the configuration names has signed it',
  gate: 'The policy lets it through to its stage',
  registry: 'An alias of the registry was promoted to it',
  'as-given': 'Nothing: it is taken as it is',
};

/** What the configuration asks for before a version is opened. */
function checksOf(
  { check = {}, registry, upstream }: VersionConfig,
  passed: readonly PassedCheck[] | undefined,
  why: string | undefined,
): readonly RequirementView[] {
  const wanted: PassedCheck['check'][] = [
    ...(check.digest === undefined ? [] : (['digest'] as const)),
    ...(check.signature === undefined ? [] : (['signature'] as const)),
    ...(check.gate === undefined ? [] : (['gate'] as const)),
    ...(registry === undefined ? [] : (['registry'] as const)),
    ...(check.asGiven === undefined ? [] : (['as-given'] as const)),
  ];
  if (upstream !== undefined)
    return [
      {
        name: 'upstream',
        says: 'It runs on another server, which states what it is',
        state: 'none',
        because: 'Its operator names the digest; nothing here can check it',
      },
    ];
  return wanted.map((name) => {
    const found = passed?.find((each) => each.check === name);
    const says = SAYS[name];
    if (name === 'as-given')
      return {
        name,
        says,
        state: 'none',
        because: 'Nobody vouches for it: sign it, or ask for evidence at a stage',
      };
    return found === undefined
      ? { name, says, state: 'not-met', because: why ?? 'It did not pass' }
      : { name, says, state: 'met', because: found.by };
  });
}

function requirementsOf({ stage, requirements }: Decision): readonly RequirementView[] {
  return requirements.map(({ id, says, state, why, exception }) => ({
    name: id,
    says,
    stage,
    state,
    because:
      state === 'excepted' && exception
        ? `${exception.owner} lets it pass until ${exception.until}: ${exception.reason}`
        : why,
  }));
}

function guardsOf({ backends, guards, trialGuard, orders }: PolicyFacts): PolicyView['guards'] {
  const inForce = orders().filter(({ measure }) => measure === 'guard');
  return backends.status().flatMap(({ model, use }) => {
    const served = backends.find(model, use);
    if (served === undefined) return [];
    const on = guards(served);
    const rowOf = ({ name, alarm }: InputGuard, isOn: boolean) => ({
      ...{ model, guard: name, threshold: alarm?.threshold, action: alarm?.action, isOn },
      about: GUARDS.find(({ kind }) => kind.name === name)?.kind.about ?? '',
    });
    const measureOn = (name: string) =>
      inForce.find(
        ({ guard, target }) => guard?.name === name && (target.model === undefined || target.model === model),
      );
    return [
      ...on.map((guard) => ({ ...rowOf(guard, true), overridden: measureOn(guard.name) })),
      ...spareGuards(served, on, trialGuard).map((guard) => rowOf(guard, false)),
    ];
  });
}

/** By what is on: it is another list after each reload. */
const spare = new WeakMap<readonly InputGuard[], readonly InputGuard[]>();

/** Guards with a threshold that are not on and could be. */
function spareGuards(
  model: ServedModel,
  on: readonly InputGuard[],
  trialGuard: PolicyFacts['trialGuard'],
): readonly InputGuard[] {
  const before = spare.get(on);
  if (before !== undefined) return before;
  const found = GUARDS.filter(({ kind }) => !on.some(({ name }) => name === kind.name)).flatMap(
    ({ kind }) => {
      try {
        const guard = trialGuard(model, kind.name);
        void guard.close?.();
        return guard.alarm === undefined ? [] : [guard];
      } catch (thrown) {
        if (thrown instanceof GlacisError) return [];
        throw thrown;
      }
    },
  );
  spare.set(on, found);
  return found;
}

function sideOf(
  side: 'public' | 'management',
  { policies, digest, problem }: Pick<PolicySet, 'policies' | 'digest' | 'problem'>,
): PolicyView['rights'][number] {
  return {
    ...{ side, digest, problem: problem?.message },
    policies: policies.slice(0, MOST_RULES).map(({ id, effect, text }) => ({ id, effect, text })),
  };
}
