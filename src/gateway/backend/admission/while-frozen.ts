import { GlacisError } from '../../../core/error.ts';
import type { ModelReference } from '../../../registry/names.ts';
import { type Resolved, resolveReference } from '../../../registry/pull.ts';
import { keyOf, type RegistryState } from '../../../registry/state.ts';
import type { Freeze } from '../../contain/freeze.ts';

/**
 * What a reference means while nothing may be promoted: an alias leads where it led when that was ordered, and a version that came later is not there. For a model that was
 * served then, the digests of then count; for another the times that are signed in the registry's log. Errors: `registry/refused`.
 */
export function resolveWhileFrozen(
  state: RegistryState,
  reference: ModelReference,
  { order, since, because, served }: Freeze,
  model: string,
): Resolved {
  const digests = Object.hasOwn(served, model) ? served[model]! : [];
  const wasThere = ({ digest, at }: { readonly digest: string; readonly at: string }) =>
    digests.length > 0 ? digests.includes(digest) : Date.parse(at) <= since;
  const { alias } = reference;
  if (alias === undefined) {
    const found = resolveReference(state, reference);
    if (wasThere(found.version)) return found;
    throw refuse(`${reference.model}@${found.version.version} came later`);
  }
  const key = keyOf(reference.model, alias);
  const then = state.aliases.get(key)?.history.filter(wasThere) ?? [];
  if (then.length === 0) throw refuse(`${reference.model}:${alias} leads to what came later`);
  const found = state.aliases.get(key)!;
  const aliases = new Map(state.aliases).set(key, { ...found, history: then });
  return resolveReference({ ...state, aliases }, reference);

  function refuse(what: string): GlacisError {
    const when = new Date(since).toISOString();
    return new GlacisError(
      'registry/refused',
      `nothing is promoted since ${when} (order ${order}: ${because}); ${what}`,
    );
  }
}
