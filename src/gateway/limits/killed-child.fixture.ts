/**
 * A gateway's budgets in a process of their own, to be killed: `node killed-child.fixture.ts FILE CONFIG CLOCK`. It takes one query after the
 * other and writes a line for each that it was given, before it takes the next. CLOCK is added to the system's clock, in milliseconds.
 */
import { writeSync } from 'node:fs';
import { openStore } from '../../store/index.ts';
import { budgetsSchema } from './budgets-schema.ts';
import { openBudgets } from './open-budgets.ts';

const [, , file, config, step] = process.argv as [string, string, string, string, string];
const store = await openStore({ kind: 'sqlite', file });
const budgets = await openBudgets(budgetsSchema.parse(JSON.parse(config)), {
  store,
  now: () => Date.now() + Number(step),
});
const principal = { id: 'alice', tenant: 'acme', credential: 'k', kind: 'key', roles: [] } as const;
say('open\n');
for (;;) {
  const taken = await budgets.take(principal, 'm', 1);
  if (taken === 'refuse') break;
  say('.\n');
}
say('refused\n');
process.exit(0);

/** Writes a line before anything else happens, however slowly it is read. */
function say(text: string): void {
  for (;;) {
    try {
      writeSync(1, text);
      return;
    } catch (thrown) {
      if ((thrown as { code?: unknown }).code !== 'EAGAIN') throw thrown;
    }
  }
}
