import { nearDuplicateClients } from '../../detect/clients/near-duplicates.ts';
import { clientGuard, clientOptions } from './client-guard.ts';

/** Attacks that ask about many small changes of one sample: see the detector. */
export const nearDuplicatesGuard = clientGuard(nearDuplicateClients, {
  about: 'Finds iterative attacks: many small changes of one sample, over all clients together.',
  options: clientOptions('refuse'),
});
