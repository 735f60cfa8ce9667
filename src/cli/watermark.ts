import { readFile } from 'node:fs/promises';
import { endpointSource, isEndpoint } from '../assess/endpoint-source.ts';
import { fileSource } from '../assess/file-source.ts';
import { asGlacisError, GlacisError } from '../core/error.ts';
import { suggestion } from '../core/options.ts';
import {
  genuine,
  markingOf,
  readMarks,
  type TheftEvidence,
  theftEvidence,
  watermarkCommitment,
} from '../gateway/respond/index.ts';
import { elementCount } from '../onnx/tensor.ts';
import { startEngine } from '../runtime/engine.ts';
import { type Command, type CommandRun, EXIT } from './command.ts';
import { commandLine } from './command-line.ts';
import { ENGINE_OPTIONS, engineOptionsFrom } from './load-options.ts';
import { prepareFile, writeText } from './output.ts';

/** False claims among innocent suspects that are put up with. */
const ALPHA = 1e-6;
const LEAST_KEY = 32;
/** Samples on which a model is looked at when it is opened. */
const FIRST = 8;
const VERBS = ['verify', 'commit'] as const;

/** `glacis watermark`: proof that a model was copied from marked answers. */
export const command: Command = {
  usage: 'watermark verify SUSPECT --key FILE --marks FILE [options] | watermark commit --key FILE',
  about:
    'Asks a suspect, a model file or an endpoint, about the inputs whose answers a gateway marked (docs/answers.md), and gives the probability that a model which never saw those answers matches them as well. commit prints what stands for the key: publish it before there is a suspect.',
  options: {
    key: { value: 'FILE', help: "the gateway's secret" },
    marks: { value: 'FILE', help: "the gateway's register of marks" },
    principal: { value: 'NAME', help: 'only what this principal was told: who made the copy?' },
    digest: {
      value: 'DIGEST',
      help: 'only answers of the model with this digest, where the register has several',
    },
    commitment: { value: 'HEX', help: 'what was published for the key; must fit' },
    alpha: {
      value: 'A',
      help: 'most false claims among innocent suspects (0.000001 unless given); divide it by the number of suspects',
    },
    'labels-only': {
      help: 'a SUSPECT behind an address answers with class numbers alone; its token belongs into GLACIS_ENDPOINT_TOKEN',
    },
    ...ENGINE_OPTIONS,
    json: { value: 'FILE', help: 'the result as JSON' },
  },
  examples: [
    [
      'glacis watermark verify suspect.onnx --key data/secret --marks data/marks.jsonl',
      'was it copied from our answers?',
    ],
    ['glacis watermark commit --key data/secret', 'the line to publish beforehand'],
  ],
  async run(run) {
    const [verb = '', ...rest] = run.given.positionals;
    if (!VERBS.some((each) => each === verb))
      throw new GlacisError(
        'option/unknown',
        `watermark: expected ${VERBS.join(' or ')}, got '${verb}'${suggestion(verb, VERBS)}`,
      );
    const [suspect, ...more] = rest;
    if (verb === 'commit') {
      if (suspect !== undefined)
        throw new GlacisError('option/invalid', `watermark commit: expected no argument, got '${suspect}'`);
      run.terminal.print(`${watermarkCommitment(await keyFrom(required(run, 'key')))}\n`);
      return EXIT.good;
    }
    if (suspect === undefined || more.length > 0)
      throw new GlacisError('option/invalid', `watermark verify: expected one SUSPECT, got ${rest.length}`);
    return verify(run, suspect);
  },
};

async function verify({ given, args, terminal, signal }: CommandRun, suspect: string): Promise<number> {
  const [alpha = ALPHA, ...others] = given.numbers('alpha') ?? [];
  if (!(alpha > 0 && alpha < 1) || others.length > 0)
    throw new GlacisError(
      'option/invalid',
      `--alpha: expected a number between 0 and 1, got '${given.text('alpha')}'`,
    );
  const json = given.text('json');
  if (json !== undefined) await prepareFile(json);
  const key = await keyFrom(required({ given }, 'key'));
  const commitment = watermarkCommitment(key);
  const published = given.text('commitment');
  if (published !== undefined && published.toLowerCase() !== commitment)
    throw new GlacisError(
      'option/invalid',
      '--commitment: expected what stands for this key, got that of another',
    );
  const path = required({ given }, 'marks');
  const principal = given.text('principal');
  const marks = readMarks(await read(path), path).filter(
    (mark) =>
      (principal === undefined || mark.principal === principal) &&
      (given.text('digest') ?? mark.digest) === mark.digest,
  );
  const [first] = marks;
  if (first === undefined)
    throw new GlacisError('data/mismatch', `${path}: expected marks of that kind, found none`);
  const kind = ({ digest, sampleDims, classes, rate }: typeof first) =>
    [digest, sampleDims, classes, rate].join();
  if (marks.some((mark) => kind(mark) !== kind(first)))
    throw new GlacisError(
      'data/mismatch',
      `${path}: expected marks of one model at one rate, got several; choose with --digest`,
    );
  const { sampleDims, classes, rate } = first;
  const { kept, rejected } = genuine(marks, markingOf(key, { sampleDims, classes }, rate));
  if (kept.length === 0)
    throw new GlacisError(
      'data/mismatch',
      `${path}: expected marks that this key makes, found none of ${marks.length}`,
    );
  const size = elementCount(sampleDims);
  const x = new Float32Array(kept.length * size);
  kept.forEach(({ input }, i) => {
    x.set(input, i * size);
  });

  const engine = startEngine(engineOptionsFrom(given));
  let evidence: TheftEvidence;
  let name: string;
  try {
    const options = {
      model: suspect,
      data: '',
      ...(isEndpoint(suspect) && { shape: sampleDims }),
      endpoint: { ...(given.flag('labels-only') && { labelsOnly: classes }) },
      signal,
      say: terminal.say,
    };
    const source = await (isEndpoint(suspect) ? endpointSource(options) : fileSource(engine, options));
    name = source.digest;
    const count = Math.min(FIRST, kept.length);
    const { subject } = await source.open(sampleDims, { x: x.slice(0, count * size), count });
    try {
      if (subject.classes !== classes)
        throw new GlacisError(
          'data/mismatch',
          `${suspect}: expected ${classes} classes, got ${subject.classes}`,
        );
      const answers = await subject.predictor.predict(x, kept.length, signal);
      const predicted = kept.map((_, row) => {
        const scores = answers.subarray(row * classes, (row + 1) * classes);
        return scores.indexOf(Math.max(...scores));
      });
      evidence = theftEvidence(kept, predicted, classes);
    } finally {
      await subject.target?.close();
      await subject.oracle.close();
      await subject.predictor.close();
    }
  } finally {
    await engine.close();
  }
  const isTheft = evidence.p <= alpha;
  if (json !== undefined) {
    const result = {
      schema: 'glacis.watermark/1',
      verdict: isTheft ? 'copy' : 'no evidence',
      suspect: name,
      model: first.digest,
      commitment,
      ...(principal !== undefined && { principal }),
      alpha,
      ...evidence,
      rejected,
      command: commandLine(args),
    };
    await writeText(json, `${JSON.stringify(result, null, 2)}\n`);
  }
  const { asked, disagreed, matched, p } = evidence;
  terminal.print(
    `${[
      `${asked} marked inputs asked about, one of each cell${rejected > 0 ? `; ${rejected} of the register are not this key's` : ''}`,
      `${disagreed} answered with another class than the model's, ${matched} of them with the class of the mark (chance gives 1 in ${classes - 1})`,
      `A model that never saw a marked answer does so with probability ${p < 1e-300 ? 'below 1e-300' : p.toPrecision(2)}`,
      isTheft
        ? `Copy: an innocent model is accused with probability ${alpha} at most, if the key was fixed before it was suspected`
        : `No evidence of a copy at ${alpha}`,
    ].join('\n')}\n`,
  );
  return isTheft ? EXIT.negative : EXIT.good;
}

function required({ given }: Pick<CommandRun, 'given'>, name: string): string {
  const text = given.text(name);
  if (text === undefined)
    throw new GlacisError('option/invalid', `watermark: expected --${name} FILE, got nothing`);
  return text;
}

/** The secret: hexadecimal text or bytes. Its content is never shown. */
async function keyFrom(path: string): Promise<Uint8Array> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (thrown) {
    throw asGlacisError(thrown, 'key/unusable', path);
  }
  const text = bytes.length < 1024 ? bytes.toString('latin1').trim() : '';
  const key = /^(?:[0-9a-f]{2}){32,}$/i.test(text) ? Buffer.from(text, 'hex') : bytes;
  if (key.length < LEAST_KEY)
    throw new GlacisError(
      'key/unusable',
      `${path}: expected a secret of at least ${LEAST_KEY} bytes, got ${key.length}`,
    );
  return key;
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    throw asGlacisError(thrown, 'data/unreadable', path);
  }
}
