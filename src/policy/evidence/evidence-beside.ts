import { stat } from 'node:fs/promises';

/** Where evidence about a model lies unless somebody says otherwise: `MODEL.sig`, `MODEL.pq.sig` and `MODEL.evidence`, those that are there. */
export async function evidenceBeside(model: string): Promise<readonly string[]> {
  const path = model.replace(/\/+$/, '');
  const found = await Promise.all(
    [`${path}.sig`, `${path}.pq.sig`, `${path}.evidence`].map((each) =>
      stat(each).then(
        () => [each],
        () => [],
      ),
    ),
  );
  return found.flat();
}
