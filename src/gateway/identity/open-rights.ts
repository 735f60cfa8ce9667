import { asGlacisError } from '../../core/error.ts';
import { DETAILS, type Detail } from '../detail.ts';
import type { Principal } from '../principal.ts';
import { Refused } from '../refusal.ts';
import type { Operation, Rights } from '../rights.ts';
import type { CedarQuestion, EntityJson } from './cedar/engine.ts';
import type { RightsConfig } from './config-schema.ts';
import { plainAddress } from './network-address.ts';
import { becauseOf, openPolicySet, type PolicySet } from './policy-set.ts';
import { recentMap } from './recent-map.ts';
import { DEFAULT_RIGHTS, inferAction, RIGHTS_SCHEMA } from './rights-schema.ts';

/** A decision about rights. */
export interface RightsDecision {
  /** The most detail; undefined where it may not be done at all. */
  readonly detail: Detail | undefined;
  /** Ids of the policies that decided. */
  readonly policies: readonly string[];
  /** For the log. */
  readonly because: string;
}

/** What is asked about. */
export type RightsQuestion = Parameters<Rights['decide']>[1];

/** Rights by policies. */
export interface GatewayRights extends Rights {
  /** As {@link Rights.decide}, with the policies that decided. */
  decide(principal: Principal, what: RightsQuestion): RightsDecision;
  /** Puts changed policy files in force, or keeps the old ones. Errors: `policy/invalid`. */
  reload(): Promise<void>;
  /** The first half of {@link reload}: reads and checks; the function that it gives puts them in force and cannot fail. */
  readonly prepare: PolicySet['prepare'];
  /** `sha256:` of the policies in force, for the log. */
  readonly digest: PolicySet['digest'];
  readonly policies: PolicySet['policies'];
  /** Why the last reload failed. */
  readonly problem: PolicySet['problem'];
  /** How often the policies were evaluated, and how many decisions are remembered. */
  readonly state: { readonly evaluations: number; readonly remembered: number };
}

/** What rights need from outside. */
export interface RightsSurroundings {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds of a clock that only goes forward. */
  readonly clock: () => number;
  /** Hears of a question that the policies could not be asked; it was refused. */
  readonly failed: (where: string, thrown: unknown) => void;
}

/** Decisions a principal may have evaluated at once and each second; those that are remembered are free. */
const BURST = 256;
const PER_SECOND = 20;
/** Principals whose evaluations are counted. */
const MOST_COUNTED = 10_000;
/** Longer names belong to no model. */
const LONGEST_NAME = 512;

/**
 * Decides by Cedar policies, once for each principal, model, version and operation (and address and time, where a policy looks at them), and remembers it. A credential's own
 * scope caps whatever policies say. A model that does not exist takes the same way as one that is forbidden: as many evaluations, the same memory.
 *
 * The version to ask about is the one that would answer; without one, policies about a version do not apply.
 * Errors: `policy/invalid`.
 */
export async function openRights(config: RightsConfig, given: RightsSurroundings): Promise<GatewayRights> {
  const { now, clock, failed } = given;
  const decisions = recentMap<RightsDecision>(config.remember);
  const spent = recentMap<{ left: number; at: number }>(MOST_COUNTED);
  const names = new WeakMap<Principal, string>();
  const set = await openPolicySet(
    {
      schema: RIGHTS_SCHEMA,
      paths: config.policies,
      standard: { name: 'the default policies', text: DEFAULT_RIGHTS },
      withStandard: config.withDefault,
    },
    { changed: () => decisions.clear(), clock },
  );
  let evaluations = 0;

  /** All that policies see of a principal, as a text. */
  const nameOf = (principal: Principal): string => {
    let name = names.get(principal);
    if (name === undefined) {
      const { kind, id, tenant, credential, roles, scope } = principal;
      name = JSON.stringify([kind, id, tenant, credential, roles, scope]);
      names.set(principal, name);
    }
    return name;
  };
  const mayEvaluate = (name: string): boolean => {
    const at = clock();
    const before = spent.get(name) ?? { left: BURST, at };
    const left = Math.min(BURST, before.left + ((at - before.at) / 1000) * PER_SECOND);
    spent.set(name, { left: Math.max(0, left - 1), at });
    return left >= 1;
  };
  const evaluate = (
    principal: Principal,
    { model, version, operation }: RightsQuestion,
    context: CedarQuestion['context'],
  ): RightsDecision => {
    const who = { type: 'Principal', id: principal.id };
    const resource = resourceFor(model, version);
    const entities = [principalEntity(principal), resource];
    const ask = (action: string) => {
      evaluations++;
      return set.ask({ principal: who, action, resource: resource.uid as never, context, entities });
    };
    const isInScope = inScope(principal, model, operation);
    if (operation !== 'infer') {
      const { isAllowed, policies } = ask(operation);
      if (!isInScope) return OUT_OF_SCOPE;
      return { detail: isAllowed ? 'label' : undefined, policies, because: becauseOf(isAllowed, policies) };
    }
    // All levels are asked, whatever the first ones say, so that a refusal takes as long as a permission.
    const most = DETAILS.indexOf(principal.scope?.detail ?? 'explanation');
    const answers = DETAILS.slice(0, most + 1).map((detail) => ask(inferAction(detail)));
    if (!isInScope) return OUT_OF_SCOPE;
    const denied = answers.findIndex(({ isAllowed }) => !isAllowed);
    const highest = denied === -1 ? most : denied - 1;
    const { isAllowed, policies } = answers[Math.max(0, highest)]!;
    return { detail: DETAILS[highest], policies, because: becauseOf(isAllowed, policies) };
  };
  const decide = (principal: Principal, what: RightsQuestion): RightsDecision => {
    const { asked } = set;
    const name = nameOf(principal);
    let key = `${what.operation}\n${what.version ?? ''}\n${what.model}\n${name}`;
    let address = ANY_ADDRESS;
    if (asked === undefined || asked.has('address')) {
      const plain = plainAddress(what.address);
      if (plain === undefined) return NO_ADDRESS;
      address = plain;
      key += `\n${plain}`;
    }
    let at = 0;
    if (asked === undefined || asked.has('now')) {
      at = Math.floor(now() / config.timeStep) * config.timeStep;
      key += `\n${at}`;
    }
    const known = decisions.get(key);
    if (known !== undefined) return known;
    if (!isName(what.model) || !isName(what.version ?? '')) return NO_NAME;
    if (!mayEvaluate(name))
      throw new Refused('throttled', 'rights: too many different questions', { retryAfter: 1 });
    const decision = decided(() =>
      evaluate(principal, what, {
        address: { __extn: { fn: 'ip', arg: address } },
        now: { __extn: { fn: 'datetime', arg: new Date(at).toISOString() } },
      }),
    );
    decisions.set(key, decision);
    return decision;
  };
  const decided = (evaluateNow: () => RightsDecision): RightsDecision => {
    try {
      return evaluateNow();
    } catch (thrown) {
      const error = asGlacisError(thrown, 'run/failed', 'rights');
      failed('rights', error);
      return { detail: undefined, policies: [], because: 'the policies could not be asked' };
    }
  };
  return {
    decide,
    reload: async () => (await set.prepare())(),
    prepare: set.prepare,
    get digest() {
      return set.digest;
    },
    get policies() {
      return set.policies;
    },
    get problem() {
      return set.problem;
    },
    get state() {
      return { evaluations, remembered: decisions.size };
    },
  };
}

const ANY_ADDRESS = '0.0.0.0';
const OUT_OF_SCOPE: RightsDecision = {
  detail: undefined,
  policies: [],
  because: "outside the credential's scope",
};
const NO_ADDRESS: RightsDecision = {
  detail: undefined,
  policies: [],
  because: 'policies ask for an address, and there is none',
};
const NO_NAME: RightsDecision = { detail: undefined, policies: [], because: 'a name that no model has' };

/** Half of a surrogate pair is no text: it would be refused on the way to the policies. */
function isName(text: string): boolean {
  return text.length <= LONGEST_NAME && text.isWellFormed();
}

function inScope({ scope }: Principal, model: string, operation: Operation): boolean {
  if (scope === undefined) return true;
  return scope.operations.includes(operation) && (scope.models.includes('*') || scope.models.includes(model));
}

function principalEntity({ id, tenant, credential, kind, roles, scope }: Principal): EntityJson {
  return {
    uid: { type: 'Principal', id },
    attrs: { kind, credential, scoped: scope !== undefined },
    parents: [{ type: 'Tenant', id: tenant }, ...roles.map((role) => ({ type: 'Role', id: role }))],
  };
}

/** The version that would answer or, where it is not known, the model. */
function resourceFor(model: string, version: string | undefined): EntityJson {
  if (version === undefined)
    return { uid: { type: 'Model', id: model }, attrs: { name: model }, parents: [] };
  return {
    uid: { type: 'ModelVersion', id: versionId(model, version) },
    attrs: { name: model, version },
    parents: [{ type: 'Model', id: model }],
  };
}

/** `mnist/3`. A slash inside of a name is written as `%2F`, so that no two versions share an id. */
export function versionId(model: string, version: string): string {
  const plain = (text: string) => text.replaceAll('%', '%25').replaceAll('/', '%2F');
  return `${plain(model)}/${plain(version)}`;
}
