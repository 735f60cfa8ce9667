import type {
  AuthorizationAnswer,
  DetailedError,
  EntityJson,
  PolicyJson,
  TypeAndId,
} from '@cedar-policy/cedar-wasm/nodejs';
import { GlacisError } from '../../../core/error.ts';
import type { ReadPolicy } from './read-policies.ts';

export type { DetailedError, EntityJson, PolicyJson, TypeAndId };

/** The library: WebAssembly, loaded once, and only where something is served. */
export type Cedar = typeof import('@cedar-policy/cedar-wasm/nodejs');

/** Loads it. Takes about 50 ms the first time. */
export async function loadCedar(): Promise<Cedar> {
  const loaded = (await import('@cedar-policy/cedar-wasm/nodejs')) as Cedar & { readonly default?: Cedar };
  return loaded.default ?? loaded;
}

/** A question to the policies. */
export interface CedarQuestion {
  readonly principal: TypeAndId;
  readonly action: string;
  readonly resource: TypeAndId;
  readonly context: Readonly<Record<string, ContextValue>>;
  readonly entities: readonly EntityJson[];
}

/** A value of the context. */
export type ContextValue = string | { readonly __extn: { readonly fn: string; readonly arg: string } };

/** What the policies say. */
export interface CedarAnswer {
  readonly isAllowed: boolean;
  /** Ids of the policies that decided: the ones that permit, or the ones that forbid; none where none applies. */
  readonly policies: readonly string[];
}

/** Policies that are in force, and a way to put others in their place. */
export interface CedarEngine {
  /**
   * Evaluates. A policy that cannot be evaluated forbids: Cedar would leave it out, and a left-out prohibition is a permission.
   * Takes 0.1 to 0.5 ms: the question goes to WebAssembly as JSON. Errors: `run/failed` for a question that does not fit the schema.
   */
  ask(question: CedarQuestion): CedarAnswer;
  /** Puts other policies in force, all or none of them. They must have been read against this engine's schema. */
  use(policies: readonly ReadPolicy[]): void;
}

/** Names in the library's cache are the process's own. */
let engines = 0;

/** Makes an engine. Nothing is allowed before {@link CedarEngine.use}. */
export function cedarEngine(cedar: Cedar, schema: string): CedarEngine {
  const name = `glacis ${engines++}`;
  check(cedar.preparseSchema(name, schema), 'schema');
  let isInForce = false;
  return {
    ask({ principal, action, resource, context, entities }) {
      if (!isInForce) return { isAllowed: false, policies: [] };
      const answer = cedar.statefulIsAuthorized({
        principal,
        action: { type: 'Action', id: action },
        resource,
        context: context as never,
        entities: entities as EntityJson[],
        preparsedSchemaName: name,
        // The action is one of the schema's and the entities are checked against it in any case.
        validateRequest: false,
        preparsedPolicySetId: name,
      });
      return read(answer);
    },
    use(policies) {
      const staticPolicies = Object.fromEntries(policies.map(({ id: policy, text }) => [policy, text]));
      // Where it fails, the library keeps the set that it had.
      check(cedar.preparsePolicySet(name, { staticPolicies }), 'policies');
      isInForce = true;
    },
  };
}

function read(answer: AuthorizationAnswer): CedarAnswer {
  if (answer.type === 'failure')
    throw new GlacisError('run/failed', `policies: ${answer.errors[0]?.message ?? 'no answer'}`);
  const { decision, diagnostics } = answer.response;
  if (diagnostics.errors.length > 0)
    return { isAllowed: false, policies: diagnostics.errors.map(({ policyId }) => policyId) };
  return { isAllowed: decision === 'allow', policies: diagnostics.reason };
}

function check(
  answer:
    | { readonly type: 'success' }
    | { readonly type: 'failure'; readonly errors: readonly DetailedError[] },
  what: string,
): void {
  if (answer.type === 'failure')
    throw new GlacisError('policy/invalid', `${what}: ${answer.errors[0]?.message ?? 'not understood'}`);
}
