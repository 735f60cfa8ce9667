import { shiftClients } from '../../detect/clients/query-shift.ts';
import { clientGuard, clientOptions } from './client-guard.ts';

/** Copying by queries from another domain: see the detector. Honest clients whose data have changed look alike, so it flags unless the policy says more. */
export const queryShiftGuard = clientGuard(shiftClients, {
  about: 'Finds clients, also several as one, that ask about something else than calm clients do.',
  options: clientOptions('flag'),
});
