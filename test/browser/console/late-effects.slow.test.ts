import { describe, expect, it } from 'vitest';
import { onFixture } from './on-fixture.ts';
import { hasChromium, settled } from './open-browser.ts';

/** Milliseconds by which the browser is late with what it does after drawing. */
const LATE = 1000;
/** Makes it so: what waits for the next frame, or for the moment after it, waits longer. */
const LATER = `{
  const [frame, timer] = [requestAnimationFrame, setTimeout];
  window.requestAnimationFrame = (then) => frame(() => timer(() => then(performance.now()), ${LATE}));
  window.setTimeout = (then, after = 0, ...rest) => timer(then, after > 0 && after < 150 ? after + ${LATE} : after, ...rest);
}`;

describe.skipIf(!hasChromium)('a page whose answers come at a bad moment (needs /usr/bin/chromium)', () => {
  const on = onFixture();

  it('is drawn with an answer that came between its drawing and its watching', async () => {
    const { page, server, complaints } = await on.visit('/cases', { pace: 0 });
    await settled(page);
    await page.addInitScript(LATER);
    // The frame of the page asks first; its answer is there when the page is drawn, and before the page watches.
    await page.route('**/api/overview', async (route) => {
      const answer = await route.fetch();
      await new Promise((resolve) => setTimeout(resolve, LATE / 2));
      await route.fulfill({ response: answer });
    });
    await page.goto(`${server.url}/console/drift`);
    await page.locator('main h1').waitFor({ timeout: 20 * LATE });
    expect(complaints).toEqual([]);
  });
});
