import { z } from 'zod';
import { GlacisError } from '../../core/error.ts';
import type { ClassNames } from '../backend/class-names.ts';
import type { Backends } from '../backend/open-backends.ts';
import type { AskedRollback, ModelClasses } from '../console/api.ts';
import { type RollBackParts, rollBack } from './roll-back.ts';
import { type ManagementRoute, route } from './route.ts';

const version = z.string().min(1).max(128);
type Canary = { version?: string | undefined; share: number };

/** Models and their versions. Files are loaded as the configuration says: change it and reload. */
export function modelRoutes(
  backends: Backends,
  { incidents, classNames }: Pick<RollBackParts, 'incidents'> & { readonly classNames: ClassNames },
): readonly ManagementRoute[] {
  return [
    route({
      method: 'GET',
      path: '/api/models',
      about: 'Models, versions, what was checked, and how busy they are.',
      action: 'models.list',
      run: () => ({ json: { models: backends.status(), memory: backends.memory() } }),
    }),
    route({
      method: 'GET',
      path: '/api/models/:name/classes',
      about: 'Names of the classes of a model, by number, where the configuration has them.',
      action: 'models.list',
      async run({ params }) {
        const model = params.name!;
        const view: ModelClasses = { model, classNames: await classNames(model) };
        return { json: view };
      },
    }),
    route<{ because?: string | undefined }>({
      method: 'POST',
      path: '/api/models/:name/rollback',
      about:
        'The version before goes back into service, if it may still be served; where the policy wants two persons, it is asked for in a case (202).',
      action: 'models.rollback',
      body: z.strictObject({ because: z.string().min(1).max(1000).optional() }),
      async run({ params, body, by }) {
        const asked = await rollBack(params.name!, { by: by.id, ...body }, { backends, incidents });
        return asked === undefined
          ? { json: statusOf(backends, params.name!) }
          : { json: asked satisfies AskedRollback, status: 202 };
      },
    }),
    route<Canary>({
      method: 'POST',
      path: '/api/models/:name/canary',
      about: 'Lets a version answer a share of the principals; without a version, ends that.',
      action: 'models.promote',
      body: z.strictObject({ version: version.optional(), share: z.number().min(0).max(1).default(0.05) }),
      async run({ params, body, by }) {
        const canary = body.version === undefined ? undefined : { version: body.version, share: body.share };
        await backends.setCanary(params.name!, canary, by.id);
        return { json: statusOf(backends, params.name!) };
      },
    }),
    route({
      method: 'POST',
      path: '/api/models/recheck',
      about: 'Asks registries and the list of revoked digests again, now.',
      action: 'models.load',
      event: 'models-rechecked',
      async run() {
        await backends.recheck();
        return { json: backends.status() };
      },
    }),
  ];
}

function statusOf(backends: Backends, name: string): object {
  const found = backends.status().find(({ model }) => model === name);
  if (found === undefined)
    throw new GlacisError('option/invalid', `model ${name}: expected one that is served`);
  return found;
}
