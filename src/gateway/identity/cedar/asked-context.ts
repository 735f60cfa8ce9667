import type { PolicyJson } from './engine.ts';

/**
 * Which attributes of the context policies look at; undefined where one takes the context as a whole, so that it may be any. A decision is the
 * same for every value of an attribute that nobody looks at.
 */
export function askedContext(policies: readonly PolicyJson[]): ReadonlySet<string> | undefined {
  const asked = new Set<string>();
  const isKnown = policies.every(({ conditions }) => conditions.every(({ body }) => visit(body, asked)));
  return isKnown ? asked : undefined;
}

/** False where the context stands somewhere else than before a dot or a `has`. */
function visit(node: unknown, asked: Set<string>): boolean {
  if (Array.isArray(node)) return node.every((each) => visit(each, asked));
  if (typeof node !== 'object' || node === null) return true;
  const fields = node as Readonly<Record<string, unknown>>;
  if (fields.Var === 'context') return false;
  for (const kind of ['.', 'has']) {
    const access = fields[kind] as { readonly left?: unknown; readonly attr?: unknown } | undefined;
    const left = access?.left as { readonly Var?: unknown } | undefined;
    if (left?.Var !== 'context') continue;
    const { attr } = access!;
    if (typeof attr === 'string') asked.add(attr);
    else if (Array.isArray(attr) && typeof attr[0] === 'string') asked.add(attr[0]);
    else return false;
    return true;
  }
  return Object.values(fields).every((each) => visit(each, asked));
}
