import { lstat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { GlacisError } from '../core/error.ts';
import { letCompilersWait } from '../core/thread-priority.ts';
import { defaultServe, readServe } from '../gateway/config/read-serve.ts';
import type { ServeConfig } from '../gateway/config/serve-schema.ts';
import { openGateway, type RunningGateway } from '../gateway/open-gateway.ts';
import { readPolicyText } from '../policy/policy-file.ts';
import { type Policy, parsePolicy } from '../policy/read-policy.ts';
import { type Command, type CommandRun, EXIT } from './command.ts';
import { openLab } from './lab/open-lab.ts';
import { prepareFile, prepareFolder, writeText } from './output.ts';
import { exampleRequest, servedText } from './serve-text.ts';

/** `glacis serve`: a model behind the guarded gateway. */
export const command: Command = {
  usage: 'serve [MODEL] [options]',
  about:
    'Serves a model over the Open Inference Protocol, REST and gRPC: with keys, limits, query budgets, guards, and a log of every decision that can be verified. Listens on this machine alone unless told otherwise.',
  options: {
    name: { value: 'NAME', help: "the model's name in addresses (its file's name unless given)" },
    config: {
      value: 'FILE',
      help: 'glacis.yaml with a section serve (glacis.yaml unless given, where there is one); docs/serving.md has all of it',
    },
    host: { value: 'HOST', help: 'address to listen on (127.0.0.1 unless given)' },
    port: { value: 'PORT', help: 'port of REST (8080 unless given; 0 takes a free one)' },
    'grpc-port': { value: 'PORT', help: 'port of gRPC (8081 unless given)' },
    'management-port': {
      value: 'PORT',
      help: 'port of the management side, on 127.0.0.1 (8082 unless given)',
    },
    'data-dir': {
      value: 'DIR',
      help: 'folder for the log, keys and budgets (glacis-data unless given); keep it, it is what the gateway remembers',
    },
    'secret-file': {
      value: 'FILE',
      help: '64 hexadecimal digits that keys are derived from (made in --data-dir unless given); gateways that share a database share it',
    },
    'key-file': {
      value: 'FILE',
      help: 'write the first key there, for its owner alone, instead of showing it; left as it is where it exists',
    },
    'new-key': { help: 'make another key for the administrator, when the first is lost' },
    trust: {
      value: 'FILE',
      many: true,
      help: 'public key or certificate (PEM): MODEL must be signed by one of these (MODEL.sig)',
    },
    stage: {
      value: 'STAGE',
      help: 'the stage of the policy in --config that MODEL must be let through to; --trust then names who vouches for evidence',
    },
    calibration: { value: 'FILE', help: 'thresholds of guards, as glacis calibrate wrote them for MODEL' },
  },
  examples: [
    ['glacis serve model.onnx', 'on this machine, with a key that is shown once'],
    [
      'glacis serve model.onnx --trust release.pub --key-file key',
      'only if it is signed; the key goes to a file',
    ],
    ['glacis serve --config glacis.yaml', 'as a file says: several models, evidence, guards, budgets'],
  ],
  async run(run) {
    const { given, terminal, signal } = run;
    const [model, ...more] = given.positionals;
    if (more.length > 0)
      throw new GlacisError('option/invalid', `expected one MODEL, got ${given.positionals.length}`);
    const dataDir = resolve(given.text('data-dir') ?? 'glacis-data');
    const keyFile = given.text('key-file');
    if (keyFile !== undefined) await prepareFile(keyFile);
    await prepareFolder(dataDir);
    const file = await configFile(given.text('config'));
    const reread = () => readConfig(run, model, file);
    const { config, policy } = await reread();
    if (Object.keys(config.models).length === 0)
      throw new GlacisError(
        'option/invalid',
        'expected a MODEL, or a configuration with models under serve: got neither (glacis serve --help)',
      );
    const folder = file === undefined ? process.cwd() : dirname(file);
    const gateway = await openGateway({
      config,
      policy,
      dataFolder: dataDir,
      secretFile: given.text('secret-file'),
      folder,
      env: process.env,
      home: homedir(),
      file,
      ...(config.console.enabled &&
        config.console.lab.enabled && {
          lab: openLab(config.console.lab, { placeOf: (path) => resolve(folder, path) }),
        }),
      reread: async () => reread(),
    });
    const isOver = new AbortController();
    try {
      const key = await firstKey(run, gateway, keyFile);
      const request = await exampleRequest(gateway, join(dataDir, 'request.json'), writeText);
      terminal.clear();
      terminal.print(servedText(gateway, { key, keyFile, dataDir, request, bold: terminal.bold }));
      letCompilersWait();
      if (gateway.models().length === 0) return EXIT.negative;
      await Promise.race([gateway.closed, fired(signal, isOver.signal)]);
      terminal.say('Stopping: requests in work finish.');
      return EXIT.good;
    } finally {
      isOver.abort();
      await gateway.drain();
      // Everything is written and closed. A thread in a run that does not end would keep the process, also from `process.exit`, which waits for it.
      if (gateway.lostThreads() > 0) process.kill(process.pid, 'SIGKILL');
    }
  },
};

/** The file that was named, or `glacis.yaml` where there is one. */
async function configFile(named: string | undefined): Promise<string | undefined> {
  if (named !== undefined) return resolve(named);
  const usual = resolve('glacis.yaml');
  return (await lstat(usual).catch(() => undefined)) ? usual : undefined;
}

async function readConfig(
  { given }: CommandRun,
  model: string | undefined,
  file: string | undefined,
): Promise<{ readonly config: ServeConfig; readonly policy: Policy | undefined }> {
  const read = file === undefined ? undefined : (await readPolicyText(file)).text;
  const found = read === undefined ? undefined : readServe(read, file);
  const base = found?.config ?? defaultServe();
  const policy = found?.hasPolicy ? parsePolicy(read!, file) : undefined;
  const port = (name: string, fallback: number | undefined) => given.whole(name, 0) ?? fallback;
  const calibration = given.text('calibration');
  return {
    policy,
    config: {
      ...base,
      listen: {
        ...base.listen,
        host: given.text('host') ?? base.listen.host,
        port: port('port', base.listen.port)!,
        grpcPort: port('grpc-port', base.listen.grpcPort ?? (file === undefined ? 8081 : undefined)),
      },
      management: { ...base.management, port: port('management-port', base.management.port)! },
      models: model === undefined ? base.models : { ...base.models, ...oneModel(given, model, policy) },
      guards: calibration === undefined ? base.guards : { ...base.guards, calibration: resolve(calibration) },
    } as ServeConfig,
  };
}

/** The model of the command line. What it must show: a signature, evidence, or nothing but being the one that was named. */
function oneModel(
  given: CommandRun['given'],
  model: string,
  policy: Policy | undefined,
): ServeConfig['models'] {
  const name = given.text('name') ?? basename(model, extname(model)).replace(/[^A-Za-z0-9._-]/g, '-');
  const trust = given.texts('trust').map((each) => resolve(each));
  const stage = given.text('stage');
  if (stage !== undefined && policy === undefined)
    throw new GlacisError('option/invalid', '--stage: expected a policy in --config, got none');
  const check =
    stage !== undefined
      ? { gate: { stage, ...(trust.length > 0 && { trust }) } }
      : trust.length > 0
        ? { signature: { trust } }
        : { asGiven: true };
  return defaultServeWith({ [name]: { file: resolve(model), check } });
}

function defaultServeWith(models: object): ServeConfig['models'] {
  return readServe(JSON.stringify({ serve: { models } }), 'MODEL').config.models;
}

/** A key for the administrator, where nobody has one or another is asked for; undefined otherwise. */
async function firstKey(
  { given }: CommandRun,
  { keys }: RunningGateway,
  keyFile: string | undefined,
): Promise<string | undefined> {
  const isThere = keyFile !== undefined && (await lstat(keyFile).catch(() => undefined)) !== undefined;
  const wanted = keys.list().length === 0 || given.flag('new-key') || (keyFile !== undefined && !isThere);
  if (!wanted || isThere) return undefined;
  const { text } = await keys.create(
    {
      principal: 'admin',
      tenant: 'local',
      name: 'made at the start',
      roles: ['admin'],
      scope: { models: ['*'], operations: ['infer', 'metadata', 'ready'], detail: 'scores' },
      lifetime: Number.POSITIVE_INFINITY,
    },
    { id: 'glacis', mayGrant: true },
  );
  if (keyFile === undefined) return text;
  await writeText(keyFile, `${text}\n`, { mode: 0o600 });
  return undefined;
}

function fired(signal: AbortSignal, over: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) return done();
    signal.addEventListener('abort', () => done(), { once: true, signal: over });
  });
}
