/** `glacis demo ARGUMENT…` with a console that is up to date. Needs Node 24 (started by run.mjs). */
import { buildConsole } from './build-console.mjs';

try {
  await buildConsole({ ifNewer: true });
} catch (thrown) {
  process.stderr.write(`glacis: the console could not be built, so there is none: ${thrown.message}\n`);
}
process.argv.splice(2, 0, 'demo');
await import('../bin/glacis.mjs');
