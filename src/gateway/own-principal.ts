import type { Principal } from './principal.ts';

/** Who asks where the gateway itself does. */
export const GLACIS: Principal = {
  id: 'glacis',
  tenant: 'glacis',
  credential: 'none',
  kind: 'anonymous',
  roles: [],
};
