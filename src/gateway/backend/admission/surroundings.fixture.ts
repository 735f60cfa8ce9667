import { join } from 'node:path';
import type { AdmissionSurroundings } from './admit.ts';

/** What an admission has around it in tests: everything in one folder, a GiB of room, nothing revoked. */
export const surroundingsIn = (
  folder: string,
  rest: Partial<AdmissionSurroundings> = {},
): AdmissionSurroundings => ({
  folder,
  env: { GLACIS_REGISTRY_HOME: join(folder, 'home') },
  home: folder,
  now: Date.now,
  room: () => 2 ** 30,
  revoked: () => undefined,
  ...rest,
});
