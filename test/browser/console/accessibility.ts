import axe from 'axe-core';
import type { Page } from 'playwright-core';

/** What axe finds wrong on the page as it is now, by WCAG 2.2 AA and its own best practices: `rule: element`. */
export async function barriersOn(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  return (await page.evaluate(`axe
    .run(document, { resultTypes: ['violations'] })
    .then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => id + ': ' + target.join(' ') + ' ' + failureSummary.split('\\n')[1])))`)) as string[];
}
