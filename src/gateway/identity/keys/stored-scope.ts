import { DETAILS, type Detail } from '../../detail.ts';
import { OPERATIONS, type Operation } from '../../rights.ts';
import type { Scope } from '../../scope.ts';

/** A scope as the list of texts that the store keeps: `model:mnist`, `operation:infer`, `detail:topk`. */
export function scopeToList({ models, operations, detail }: Scope): readonly string[] {
  return [
    ...models.map((model) => `model:${model}`),
    ...operations.map((operation) => `operation:${operation}`),
    `detail:${detail}`,
  ];
}

/** The scope that a list says; undefined where one does not understand all of it: what cannot be read must not be taken for less than it was. */
export function scopeFromList(list: unknown): Scope | undefined {
  if (!Array.isArray(list)) return undefined;
  const models: string[] = [];
  const operations: Operation[] = [];
  const details: Detail[] = [];
  for (const each of list) {
    if (typeof each !== 'string') return undefined;
    const at = each.indexOf(':');
    const [kind, value] = [each.slice(0, at), each.slice(at + 1)];
    if (kind === 'model' && value !== '') models.push(value);
    else if (kind === 'operation' && isOneOf(OPERATIONS, value)) operations.push(value);
    else if (kind === 'detail' && isOneOf(DETAILS, value)) details.push(value);
    else return undefined;
  }
  const [detail, more] = details;
  return detail === undefined || more !== undefined ? undefined : { models, operations, detail };
}

function isOneOf<T extends string>(all: readonly T[], value: string): value is T {
  return (all as readonly string[]).includes(value);
}
