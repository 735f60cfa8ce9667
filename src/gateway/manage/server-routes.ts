import { type ManagementRoute, route } from './route.ts';

/** What can be done with the server as a whole. */
export interface ServerActs {
  /** Reads configuration and policies again; what cannot be used leaves all as it was, and is said. */
  reload(by: string): Promise<object>;
  /** An orderly end: no new requests, those in work finish. */
  drain(by: string): void;
  /** The configuration in force; no secret is in it. */
  config(): object;
  /** The policies in force: where from, and what went wrong with newer ones. */
  policies(): object;
}

/** Configuration, policies, and the end. */
export function serverRoutes(server: ServerActs): readonly ManagementRoute[] {
  return [
    route({
      method: 'GET',
      path: '/api/config',
      about: 'The configuration in force.',
      action: 'config.read',
      run: () => ({ json: server.config() }),
    }),
    route({
      method: 'GET',
      path: '/api/policies',
      about: 'The policies in force.',
      action: 'policy.read',
      run: () => ({ json: server.policies() }),
    }),
    route({
      method: 'POST',
      path: '/api/reload',
      about: 'Changed configuration, models and policies go into force, or nothing changes.',
      action: 'policy.reload',
      event: 'reload-asked',
      run: async ({ by }) => ({ json: await server.reload(by.id) }),
    }),
    route({
      method: 'POST',
      path: '/api/drain',
      about: 'An orderly end: no new requests, those in work finish.',
      action: 'server.drain',
      event: 'drain-asked',
      run({ by }) {
        server.drain(by.id);
        return { json: { draining: true }, status: 202 };
      },
    }),
  ];
}

/** The list of routes itself, for who looks around. */
export function listRoute(routes: readonly ManagementRoute[]): ManagementRoute {
  return route({
    method: 'GET',
    path: '/api',
    about: 'This list.',
    action: 'health.read',
    run: () => ({
      json: routes.map(({ method, path, about, action }) => ({ method, path, about, action })),
    }),
  });
}
