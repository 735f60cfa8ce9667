import type { Made } from '../value.ts';
import type { AllowList } from './allow-list.ts';
import { BOOSTING } from './boosting.ts';
import { NUMPY } from './numpy.ts';
import { PYTHON } from './python.ts';
import { SCIKIT_LEARN } from './scikit-learn.ts';
import { TABLES } from './tables.ts';
import { TORCH } from './torch.ts';
import { TORCH_MODULES } from './torch-modules.ts';

/** Every allow list; one import and one line each. */
export const ALLOW_LISTS: readonly AllowList[] = [
  PYTHON,
  NUMPY,
  TORCH,
  TORCH_MODULES,
  SCIKIT_LEARN,
  BOOSTING,
  TABLES,
];

/** What an allowed name may be used for: `value` is not callable, all others say how what they make may be filled. */
export type Use = Exclude<Made['fill'], 'unknown'> | 'value';

const uses = new Map<string, Use>();
for (const { classes, functions, mappings, sequences, values } of ALLOW_LISTS) {
  for (const [table, use] of [
    [classes, 'instance'],
    [functions, 'instance'],
    [values, 'value'],
    [sequences, 'sequence'],
    [mappings, 'mapping'],
  ] as const)
    for (const [module, names] of Object.entries(table ?? {}))
      for (const name of names.split(' ')) uses.set(`${module}\0${name}`, use);
}

/** What a name may be used for; `undefined` where it is not allowed. Exact: no prefixes, no patterns. */
export function allowedUse(module: string, name: string): Use | undefined {
  return uses.get(`${module}\0${name}`);
}
