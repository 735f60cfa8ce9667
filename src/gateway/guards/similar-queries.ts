import { similarClients } from '../../detect/clients/similar-queries.ts';
import { clientGuard, clientOptions } from './client-guard.ts';

/** Copying by queries that are made from each other: see the detector. Clients whose rows come again, a little changed, look alike, so it flags unless the policy says more. */
export const similarQueriesGuard = clientGuard(similarClients, {
  about: 'Finds clients that copy the model with queries made from each other.',
  options: clientOptions('flag'),
});
