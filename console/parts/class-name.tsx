import type { ModelClasses } from '../../src/gateway/console/api.ts';
import { useQuery } from '../data/query.ts';
import { useMay } from '../data/session.ts';
import { className } from './format.ts';
import { Text } from './text.tsx';

/** Names of a model's classes by number, once they are here; undefined where it has none, or the person may not see models. */
export function useClassNames(model: string): readonly string[] | undefined {
  const may = useMay('models.list');
  const path = may ? `/api/models/${encodeURIComponent(model)}/classes` : undefined;
  return useQuery<ModelClasses>(path, { lasting: true }).data?.classNames;
}

/** A class of a model, on a page. */
export function ClassName({ model, label }: { readonly model: string; readonly label: number }) {
  return <Text of={className(useClassNames(model), label)} most={32} />;
}
