import { expect, it } from 'vitest';
import { openMetrics } from '../observe/metrics.ts';
import { watchNumbers } from './watched-numbers.ts';

it('queues, memory, budgets, alarms and cases are read when the page is, and name no caller', async () => {
  const metrics = openMetrics({ process: false });
  let waiting = 3;
  const none = { full: 0, rounded: 0, top1: 0, label: 0, refuse: 0 };
  watchNumbers(metrics, {
    backends: {
      status: () =>
        [
          { model: 'signs', versions: [{ version: '1', load: { open: 4, waiting } }] },
        ] as unknown as ReturnType<Parameters<typeof watchNumbers>[1]['backends']['status']>,
      lostThreads: () => 1,
      memory: () => ({ used: 10, limit: 20 }),
    },
    budgets: {
      standing: () => [{ scope: 'principal', counts: { ...none, label: 2, refuse: 1 }, share: 0.95 }],
    },
    incidents: {
      counts: () => ({ alarms: 5, opened: 2, contained: 1, containedMilliseconds: 1500 }),
      dropped: () => 0,
    },
  });
  const page = async () => (await metrics.page()).text;
  const text = await page();
  for (const line of [
    'glacis_model_waiting{model="signs",version="1"} 3',
    'glacis_lost_threads 1',
    'glacis_memory_bytes{what="used"} 10',
    'glacis_memory_bytes{what="limit"} 20',
    'glacis_budgets{scope="principal",step="full"} 0',
    'glacis_budgets{scope="principal",step="label"} 2',
    'glacis_budgets{scope="principal",step="refuse"} 1',
    'glacis_budget_share{scope="principal"} 0.95',
    'glacis_alarms 5',
    'glacis_alarms_dropped 0',
    'glacis_cases_opened 2',
    'glacis_cases_contained 1',
    'glacis_containment_seconds 1.5',
  ])
    expect(text).toContain(`${line}\n`);
  waiting = 0;
  expect(await page()).toContain('glacis_model_waiting{model="signs",version="1"} 0\n');
});
