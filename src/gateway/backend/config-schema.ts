import { z } from 'zod';
import { byteSize, digest, fraction, ownName, several, words } from '../../policy/schema/fields.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

const whole = (least: number, most: number) =>
  z
    .int({ error: `a whole number from ${least} to ${most}` })
    .min(least)
    .max(most);
const path = z.string().regex(/^[^\0]{1,4096}$/, { error: 'a path' });
const NAME =
  'a name of letters, digits, ".", "_" and "-" that begins with a letter or digit, at most 128 characters';
const servedName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, { error: NAME });

const check = z
  .strictObject({
    digest: digest
      .optional()
      .describe(
        'The root digest that the model must have, as `glacis digest` shows it; of a single file its SHA-256 will do, too.',
      ),
    signature: z
      .strictObject({
        bundle: path.optional().describe('The OpenSSF Model Signing bundle; MODEL.sig unless given.'),
        trust: several(path).describe(
          'Public keys and certificates (PEM) of which one must have signed, or a trusted root of Sigstore (JSON).',
        ),
        identities: several(
          z.strictObject({
            identity: words.describe('Who signed.'),
            issuer: words.describe('Who says so: the OpenID issuer.'),
          }),
        )
          .optional()
          .describe('Identities of Sigstore that may have signed.'),
      })
      .optional()
      .describe('A signature that the model must have, file by file.'),
    gate: z
      .strictObject({
        policy: path.optional().describe('The policy; the file that holds this section unless given.'),
        stage: ownName.describe('The stage that the model must be let through to, e.g. `production`.'),
        evidence: several(path)
          .optional()
          .describe(
            'Signed statements, or folders of them; MODEL.sig, MODEL.pq.sig and MODEL.evidence unless given.',
          ),
        trust: several(path).optional().describe('Keys, certificates and roots to check them with.'),
        name: words.optional().describe("The model's name for the policy; its name here unless given."),
      })
      .optional()
      .describe('The evidence that the policy asks for at a stage.'),
    asGiven: z
      .literal(true)
      .optional()
      .describe(
        'Takes the model as it is when the server starts, unchecked, and keeps to its digest from then on. Says so in the log.',
      ),
  })
  .refine((given) => Object.values(given).some((each) => each !== undefined), {
    error: 'at least one of digest, signature, gate and asGiven',
  })
  .refine(
    (given) =>
      given.asGiven === undefined || Object.values(given).filter((each) => each !== undefined).length === 1,
    {
      error: 'asGiven alone: other checks make it pointless',
    },
  )
  .describe('What must hold before the model is opened; all of what is given. What fails is not loaded.');

const registry = z
  .strictObject({
    location: words.describe('The registry: a folder or s3://BUCKET/PREFIX.'),
    model: words.describe(
      'NAME:ALIAS, which was promoted there and counts as checked, or NAME@VERSION, which needs a check of its own.',
    ),
    trust: path
      .optional()
      .describe("The registry's trust file; needed until this machine remembers the registry."),
    wrappingKey: words
      .optional()
      .describe('The key that opens encrypted versions, as for `glacis registry pull --wrapping-key`.'),
  })
  .describe(
    'A version in a model registry. It is asked again while it is served: what is revoked, or no longer fresh, is not served.',
  );

const upstream = z
  .strictObject({
    url: z
      .string()
      .regex(
        /^(?:https?|grpcs?):\/\/[^\s/?#@]+(?:\/[^\s?#]*)?\/v2\/models\/[^/\s?#]+(?:\/versions\/[^/\s?#]+)?$/,
        {
          error: 'http(s)|grpc(s)://HOST[:PORT]/v2/models/NAME[/versions/VERSION], without a password',
        },
      )
      .describe('The model on a server of the Open Inference Protocol. Requests go there and nowhere else.'),
    digest: digest.describe(
      'The digest of the model that runs there, as its operator states it. It goes to the log; nothing here can check it.',
    ),
    format: z
      .enum(['auto', 'binary', 'json'])
      .default('auto')
      .describe('How tensors travel over REST; `auto` asks the server.'),
    timeoutMilliseconds: whole(1, 600_000).default(10_000).describe('For a whole answer.'),
    parallel: whole(1, 1024).default(16).describe('Requests under way at once.'),
    queue: whole(0, 100_000).default(256).describe('Requests that may wait beyond those.'),
    mostBytes: byteSize.default(64 * MIB).describe('Most bytes of an answer.'),
    finite: z.boolean().default(true).describe('Whether NaN and infinities in an answer make it a bad one.'),
    retries: whole(0, 5)
      .default(1)
      .describe('Further tries where the connection was refused, so that nothing was sent.'),
    networks: several(z.union([z.cidrv4(), z.cidrv6()], { error: 'a network such as 10.0.0.0/8' }))
      .optional()
      .describe(
        'Networks that the name may lead to; any but link-local addresses (169.254.0.0/16, where clouds keep their secrets) unless given.',
      ),
    tokenFile: path.optional().describe('A file with the token that is sent as `Authorization: Bearer`.'),
    ca: path
      .optional()
      .describe('Certificates (PEM) that the server’s must lead to; those of the system unless given.'),
    certificate: path.optional().describe('The certificate (PEM) shown to the server.'),
    key: path.optional().describe('Its private key (PEM).'),
    circuit: z
      .strictObject({
        failures: whole(1, 1000)
          .default(5)
          .describe('Failures in a row after which the server is left alone.'),
        pauseMilliseconds: whole(10, 600_000)
          .default(1_000)
          .describe('For how long, at first; doubled each time.'),
        longestMilliseconds: whole(10, 3_600_000).default(30_000).describe('For how long at most.'),
      })
      .prefault({}),
  })
  .refine(({ certificate, key }) => (certificate === undefined) === (key === undefined), {
    error: 'certificate and key together',
  })
  .describe('A model on another server: Triton, KServe, MLServer.');

const batching = z
  .strictObject({
    most: whole(1, 4096).default(32).describe('Most samples in one run.'),
    waitMicroseconds: whole(0, 1_000_000)
      .default(0)
      .describe(
        'How long a request waits for others while a thread is free. While all are busy, requests gather anyway.',
      ),
    longestMilliseconds: whole(1, 60_000)
      .default(25)
      .describe('How long a run should take at most, where fewer samples make it shorter.'),
    timeoutMilliseconds: whole(1, 3_600_000)
      .default(60_000)
      .describe(
        'How long callers wait for a run. One that takes longer cannot be ended: its thread is lost until it ends by itself.',
      ),
    queue: whole(1, 1_000_000)
      .default(1_024)
      .describe('Most samples that may wait; beyond, callers are told to come again.'),
    share: z
      .enum(['auto', 'never'])
      .default('auto')
      .describe(
        'Whether samples of several callers run together: where a trial shows that they do not influence each other, or never.',
      ),
  })
  .describe('How requests are put together.');

const source = {
  file: path.optional().describe('An ONNX file, or a folder with one and its weights.'),
  entry: path.optional().describe('The ONNX file in the folder; needed where there are several.'),
  ignore: several(path).optional().describe('Paths in the folder that are no part of the model.'),
  registry: registry.optional(),
  upstream: upstream.optional(),
  check: check.optional(),
};

const SOURCES = ['file', 'registry', 'upstream'] as const;
const countOf = (given: Readonly<Record<string, unknown>>, keys: readonly string[]): number =>
  keys.filter((key) => given[key] !== undefined).length;

const version = z
  .strictObject(source)
  .refine((given) => countOf(given, SOURCES) === 1, { error: 'one of file, registry and upstream' })
  .describe('Where a version comes from, and what must hold before it is opened.');

const share = (what: string) =>
  z.strictObject({ version: servedName, share: fraction.default(1) }).describe(what);

const model = z
  .strictObject({
    ...source,
    versions: z
      .record(servedName, version)
      .optional()
      .describe('Several versions by name, in place of one source.'),
    use: servedName
      .optional()
      .describe(
        'The version that answers where a request names none; the only one, or the last, unless given.',
      ),
    canary: share(
      'A version that answers a share of the principals, the same ones as long as the share stays.',
    ).optional(),
    shadow: share(
      'A version that is asked a share of the requests after they were answered, when nothing else is to do. Nobody sees its answers but the metrics.',
    ).optional(),
    batching: batching.prefault({}),
    classifier: z
      .strictObject({
        input: words.optional().describe('The main input.'),
        output: words.optional().describe('The output that holds the scores.'),
        gives: z
          .enum(['logits', 'probabilities'])
          .optional()
          .describe('What the scores are; found by running the model unless given.'),
      })
      .prefault({})
      .describe('How the model classifies, where it cannot be told from the file.'),
    classes: z
      .union([z.array(words).min(1).max(10_000), path], { error: 'names of the classes, or a path' })
      .optional()
      .describe(
        'Names of the classes by number, for people who look at calls; or a file with them, one a line or a JSON array.',
      ),
    mostElements: whole(1, 2 ** 31)
      .default(2 ** 22)
      .describe(
        'Most numbers of a sample in one input, where the file leaves sizes open: what a run takes grows with them.',
      ),
    keepPrevious: z
      .boolean()
      .default(true)
      .describe(
        'Whether a replaced version stays in memory, so that a rollback takes no time, as long as no other model needs the room.',
      ),
  })
  .refine((given) => countOf(given, [...SOURCES, 'versions']) === 1, {
    error: 'one of file, registry, upstream and versions',
  })
  .refine(({ versions }) => versions === undefined || Object.keys(versions).length > 0, {
    error: 'at least one version',
  })
  .refine(
    ({ versions, use, canary, shadow }) =>
      [use, canary?.version, shadow?.version].every(
        (name) => name === undefined || Object.hasOwn(versions ?? { '1': 0 }, name),
      ),
    { error: 'use, canary and shadow that name versions of this model' },
  )
  .describe('A model by the name under which it is served.');

/** `serve:` as far as models go. */
export const backendSchema = z.strictObject({
  models: z.record(servedName, model).default({}).describe('The models that are served.'),
  memory: byteSize
    .default(4 * GIB)
    .describe(
      'What the weights of all loaded models may take together, one copy for each thread that holds them. What does not fit is not loaded.',
    ),
  threads: whole(1, 1024).optional().describe('Threads that run models; one a core unless given.'),
  lostThreads: whole(0, 64)
    .default(2)
    .describe(
      'Most threads at a time that get a fresh one in their place because their run does not end. Each lost one keeps a core busy; beyond, models refuse until a restart.',
    ),
  revoked: path
    .optional()
    .describe(
      'A file of digests, one a line, of models that must not be served. It is read at each load and while models are served; a file that cannot be read stops them.',
    ),
  recheckSeconds: whole(1, 86_400)
    .default(60)
    .describe('How often registries and the list of revoked digests are asked again.'),
});

/** {@link backendSchema} as it is read. */
export type BackendConfig = z.output<typeof backendSchema>;
/** A model's section. */
export type ModelConfig = z.output<typeof model>;
/** Where a version comes from. */
export type VersionConfig = z.output<typeof version>;
/** How a version is checked. */
export type CheckConfig = z.output<typeof check>;
/** A version in a registry. */
export type RegistryConfig = z.output<typeof registry>;
/** A version on another server. */
export type UpstreamConfig = z.output<typeof upstream>;

/** A model's versions by name; `1` where there is one source. */
export function versionsOf(config: ModelConfig): ReadonlyMap<string, VersionConfig> {
  const { versions, file, entry, ignore, registry, upstream, check } = config;
  return versions
    ? new Map(Object.entries(versions))
    : new Map([['1', { file, entry, ignore, registry, upstream, check }]]);
}
