import { pradaClients } from '../../detect/clients/prada.ts';
import { clientGuard, clientOptions } from './client-guard.ts';

/** Copying by queries at unusual distances from each other: see the detector. On only where the policy names it: honest clients that retry or send frames look alike (docs/guards-stateful.md). */
export const pradaGuard = clientGuard(pradaClients, {
  about:
    'Finds clients whose queries lie at distances from each other that are not normal (PRADA); honest clients that repeat themselves look alike.',
  options: clientOptions('flag'),
});
