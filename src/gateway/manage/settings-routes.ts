import { Refused } from '../refusal.ts';
import { type Change, changeSchema } from '../settings/change.ts';
import type { Settings } from '../settings/open-settings.ts';
import { type ManagementCall, type ManagementRoute, route } from './route.ts';

/** Guards, budgets and rates that are changed while the server runs. They write their own events, before they are in force. */
export function settingsRoutes(
  settings: Pick<Settings, 'list' | 'make' | 'undo'>,
): readonly ManagementRoute[] {
  return [
    route({
      method: 'GET',
      path: '/api/settings',
      about: 'What was changed while the server ran, and so differs from the file, the newest first.',
      action: 'config.read',
      run: () => ({ json: { rows: settings.list() } }),
    }),
    route<Change>({
      method: 'POST',
      path: '/api/settings',
      about: 'Changes a guard, a budget or the rates, on top of the file, until it is undone.',
      action: 'config.read',
      body: changeSchema,
      async run(call) {
        allow(call, call.body.kind);
        return { json: await settings.make(call.body, call.by.id), status: 201 };
      },
    }),
    route({
      method: 'POST',
      path: '/api/settings/:id/undo',
      about: 'What the file says holds again.',
      action: 'config.read',
      async run(call) {
        const found = settings.list().find(({ id }) => id === call.params.id);
        if (found !== undefined) allow(call, found.change.kind);
        else for (const kind of ['guard', 'budget'] as const) allow(call, kind);
        return { json: await settings.undo(call.params.id!, call.by.id) };
      },
    }),
  ];
}

/** Who may change guards is somebody else than who may give more budget. */
function allow({ may, by }: ManagementCall<unknown>, kind: Change['kind']): void {
  const action = kind === 'guard' ? 'guards.change' : 'budgets.change';
  if (!may(action)) throw new Refused('unknown', `${by.id} may not ${action}`);
}
