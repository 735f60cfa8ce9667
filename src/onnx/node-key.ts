import type { Value } from './graph-value.ts';
import type { Attribute } from './model.ts';

/** What two nodes have in common that compute the same; `undefined` where that cannot be said in a short text. */
export function nodeKey(
  op: string,
  domain: string,
  inputs: readonly (Value | null)[],
  attributes: ReadonlyMap<string, Attribute>,
  count: number,
): string | undefined {
  const parts = [domain, op, String(count), inputs.map((v) => v?.name ?? '').join('\u0001')];
  for (const [name, a] of [...attributes].sort(([x], [y]) => (x < y ? -1 : 1))) {
    if (a.kind === 'tensor') {
      if (a.value.data.byteLength > 4096) return undefined;
      parts.push(`${name}=${a.value.dtype}[${a.value.dims}]${Buffer.from(a.value.data).toString('base64')}`);
    } else if (a.kind === 'graph' || a.kind === 'graphs' || a.kind === 'tensors' || a.kind === 'opaque')
      return undefined;
    else parts.push(`${name}=${a.kind}:${JSON.stringify(a.value)}`);
  }
  return parts.join('\u0002');
}
