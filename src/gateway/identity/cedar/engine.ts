import { createRequire } from 'node:module';
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

/** The library. */
export type Cedar = typeof import('@cedar-policy/cedar-wasm/nodejs');

/**
 * An instance of the library, which is WebAssembly, for one set of policies. What breaks one (a policy nested so deeply that its stack ends) leaves it in pieces for good, so none
 * is used for anything that it could spoil. Takes about 50 ms.
 */
export function freshCedar(): Cedar {
  // Each its own, so that nothing holds on to instances that are no longer used.
  const require = createRequire(import.meta.url);
  const name = '@cedar-policy/cedar-wasm/nodejs';
  delete require.cache[require.resolve(name)];
  return require(name) as Cedar;
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

/** Policies in force. */
export interface CedarEngine {
  /**
   * Evaluates. A policy that cannot be evaluated forbids: Cedar would leave it out, and a left-out prohibition is a permission.
   * Takes 0.1 to 0.5 ms: the question goes to WebAssembly as JSON. Errors: `run/failed` for a question that does not fit the schema; whatever WebAssembly throws where the instance is broken.
   */
  ask(question: CedarQuestion): CedarAnswer;
}

/** What schema and policies are called inside of their instance. */
const NAME = 'glacis';

/** Puts policies in force in an instance of their own. They must have been read against the schema. Errors: `policy/invalid`. */
export function cedarEngine(cedar: Cedar, schema: string, policies: readonly ReadPolicy[]): CedarEngine {
  const staticPolicies = Object.fromEntries(policies.map(({ id, text }) => [id, text]));
  check(cedar.preparseSchema(NAME, schema), 'schema');
  check(cedar.preparsePolicySet(NAME, { staticPolicies }), 'policies');
  return {
    ask: ({ principal, action, resource, context, entities }) =>
      read(
        cedar.statefulIsAuthorized({
          principal,
          action: { type: 'Action', id: action },
          resource,
          context: context as never,
          entities: entities as EntityJson[],
          preparsedSchemaName: NAME,
          // The action is one of the schema's and the entities are checked against it in any case.
          validateRequest: false,
          preparsedPolicySetId: NAME,
        }),
      ),
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
