import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { assess } from '../assess/assess.ts';
import { compareAssessments } from '../assess/index.ts';
import type { Assessment } from '../assess/result.ts';
import { toJson } from '../assess/result-json.ts';
import { throwIfCancelled } from '../core/cancel.ts';
import { GlacisError } from '../core/error.ts';
import type { Progress } from '../core/progress.ts';
import { writeNpz } from '../data/index.ts';
import { renderSplit, SIGN_CLASSES, SIGN_SHAPE } from '../data/traffic-signs/render.ts';
import { elementCount } from '../onnx/tensor.ts';
import { renderComparisonHtml } from '../report/compare/html.ts';
import { renderHtml } from '../report/html.ts';
import { bundledExample } from './bundled-example.ts';
import { type Command, type CommandRun, EXIT } from './command.ts';
import { liveTraffic } from './demo/live.ts';
import { chooseExamples } from './demo-examples.ts';
import { consoleLink, openDemoGateway, type ServingDemo, serveDemo } from './demo-serving.ts';
import { demoSummary, hardenedSummary, liveSummary, servedSummary } from './demo-summary.ts';
import { galleryFrom } from './gallery.ts';
import { openBrowser } from './open-browser.ts';
import { prepareFolder, writeText } from './output.ts';

/** The largest changes of a pixel, as shares of its range. */
const EPS = [1 / 255, 2 / 255, 4 / 255, 8 / 255];
/** Steps twice as long as the default's, and half as many: as strong here at half the cost. */
const PGD = { steps: 20, relativeStep: 0.2 };
/** Pictures in the report. */
const SHOWN = 12;
/** Samples rendered between two looks at the signal. */
const CHUNK = 64;

/** `glacis demo`: the whole way of an assessment on the bundled example. */
export const command: Command = {
  usage: 'demo [--out FOLDER]',
  about:
    'Attacks the bundled classifier of traffic signs on pictures rendered for the purpose, then the same network hardened, and writes reports. Needs no data, no network and less than a minute.',
  options: {
    out: { value: 'FOLDER', help: 'where the report goes (default: glacis-demo)' },
    n: { value: 'N', help: 'how many pictures (default: 512)' },
    seed: { value: 'SEED', help: 'other pictures and other random starts (default: 1)' },
    live: {
      help: 'end with the console on live traffic, until Ctrl-C; so it is on a terminal, where a browser opens it',
    },
    brief: { help: 'end when the reports are written, also on a terminal' },
  },
  examples: [
    ['glacis demo', 'see what an attack does to a model, and what hardening is worth'],
    ['glacis demo --n 64 --out /tmp/demo', 'the same on fewer pictures, somewhere else'],
  ],
  run,
};

async function run({ given, terminal, signal }: CommandRun): Promise<number> {
  const [surplus] = given.positionals;
  if (surplus !== undefined)
    throw new GlacisError(
      'option/invalid',
      `demo: expected no model, got '${surplus}'; glacis assess ${surplus} --data DATA assesses your own`,
    );
  const out = given.text('out') ?? 'glacis-demo';
  const n = given.whole('n', 1) ?? 512;
  const seed = given.whole('seed', 0) ?? 1;
  const { say, progress } = terminal;
  const example = await bundledExample();
  const classNames = SIGN_CLASSES.map((c) => c.name);
  await prepareFolder(out);
  say(
    `Model: a small neural network that reads ${SIGN_CLASSES.length} kinds of traffic signs, trained on ${example.trainingSamples.toLocaleString('en')} clean pictures.`,
  );
  say(`Pictures: ${n} that it has never seen, rendered now (seed ${seed}).`);
  const pictures = join(out, 'signs.npz');
  await renderPictures(pictures, n, seed, progress, signal);
  say(`Attacks: FGSM (one step) and PGD (${PGD.steps} steps), each with four budgets.`);
  const attack = async (model: string, folder: string) => {
    const assessed = await assess({
      model,
      data: pictures,
      attacks: [
        { name: 'fgsm', options: {} },
        { name: 'pgd', options: PGD },
      ],
      norm: 'linf',
      eps: EPS,
      seed,
      out: folder,
      command: `${COMMAND} demo --n ${n} --seed ${seed}`,
      signal,
      progress,
    });
    terminal.clear();
    const description = `${n} rendered pictures of traffic signs (test split, seed ${seed})`;
    const { data } = assessed.assessment;
    const assessment: Assessment = {
      ...assessed.assessment,
      data: { ...data, description, classNames },
    };
    await writeText(join(folder, 'assessment.json'), toJson(assessment));
    return { ...assessed, assessment };
  };
  const assessed = await attack(example.model, out);
  const { assessment } = assessed;
  const examples = chooseExamples(assessed.examples, 'pgd', SHOWN);
  const report = join(out, 'report.html');
  await writeText(report, renderHtml(assessment, galleryFrom({ ...assessed, examples })));
  terminal.print(demoSummary({ assessment, examples, classNames, bold: terminal.bold }));
  terminal.print(
    `\nReport    ${report}\n          open it in a browser: ${pathToFileURL(report).href}\nFigures   ${join(out, 'assessment.json')}\nPictures  ${pictures}\n\n`,
  );
  if (assessment.status !== 'complete') return EXIT.unfinished;
  say('The same attacks on the same network, hardened: trained on against attacks of 8/255.');
  const folder = join(out, 'hardened');
  await prepareFolder(folder);
  const { assessment: after } = await attack(example.hardened, folder);
  if (after.status !== 'complete') return EXIT.unfinished;
  const comparison = join(out, 'comparison.html');
  const results = [out, folder].map((each) => join(each, 'assessment.json'));
  await writeText(comparison, renderComparisonHtml(await compareAssessments(results, { signal })));
  terminal.print(hardenedSummary(assessment, after, terminal.bold));
  terminal.print(`\nBoth      ${comparison}\n\n`);
  say(
    'The hardened network, signed and served by the gateway on this machine; then attacked over the network.',
  );
  const picture = renderSplit({ seed, split: 'test', n: 1, start: 0 });
  const serving: ServingDemo = {
    model: example.hardened,
    second: example.model,
    calibration: example.calibration,
    monitors: example.monitors,
    folder: join(out, 'served'),
    pictures,
    assessments: out,
    picture: Float32Array.from(picture.x, (value) => value / 255),
    label: picture.y[0]!,
    classNames,
    eps: EPS.at(-1)!,
    seed,
    signal,
    progress,
  };
  const opened = await openDemoGateway(serving);
  try {
    const served = await serveDemo(opened, serving);
    terminal.clear();
    terminal.print(
      servedSummary(served, { truth: classNames[picture.y[0]!]!, bold: terminal.bold, command: COMMAND }),
    );
    terminal.print(closing(example.model, pictures));
    if (given.flag('live') || (terminal.isWatched === true && !given.flag('brief'))) {
      const link = await consoleLink(opened);
      const isOpened = terminal.isWatched === true && (await openBrowser(link, process.env));
      terminal.print(liveSummary(link, isOpened, terminal.bold));
      await liveTraffic(opened.gateway, serving, { say, signal });
    }
  } finally {
    await opened.gateway.drain();
  }
  return EXIT.good;
}

/** What to do next. */
function closing(model: string, pictures: string): string {
  return [
    '',
    `Your own model:  ${COMMAND} assess MODEL.onnx --data DATA.npz`,
    `To harden it:    ${COMMAND} harden MODEL.onnx --data TRAIN.npz --test DATA.npz`,
    `To serve it:     ${COMMAND} serve MODEL.onnx`,
    `By hand:         ${COMMAND} assess ${shortest(model)} --data ${pictures} --attacks pgd --eps 8/255`,
    '',
  ].join('\n');
}

/** How the program is called here: a clone of the repository has no `glacis` on the path. */
const COMMAND = import.meta.url.endsWith('.ts') ? 'npm run glacis --' : 'glacis';

/** Renders test pictures into an archive that `glacis assess` can read, too. */
async function renderPictures(
  path: string,
  n: number,
  seed: number,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const size = elementCount(SIGN_SHAPE);
  const x = new Uint8Array(n * size);
  const y = new Uint8Array(n);
  for (let start = 0; start < n; start += CHUNK) {
    throwIfCancelled(signal, 'demo');
    const part = renderSplit({ seed, split: 'test', n: Math.min(CHUNK, n - start), start });
    x.set(part.x, start * size);
    y.set(part.y, start);
    progress({ label: 'rendering pictures', done: start + part.y.length, total: n });
    // A turn of the event loop, so that Ctrl-C is heard.
    await new Promise((resolve) => setImmediate(resolve));
  }
  await writeNpz(path, {
    x: { data: x, shape: [n, ...SIGN_SHAPE] },
    y: { data: y, shape: [n] },
  });
}

/** A path as one would type it from here. */
function shortest(path: string): string {
  const near = relative(process.cwd(), path);
  return near.length < path.length ? near : path;
}
