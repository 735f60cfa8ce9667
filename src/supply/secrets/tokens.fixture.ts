import { keyText } from '../../core/key-text.ts';
import { type Rng, randomFrom } from '../../core/random.ts';

/** Letters and digits, and parts of them. */
const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const UPPER = LOWER.toUpperCase();
const DIGITS = '0123456789';
const ALNUM = LOWER + UPPER + DIGITS;
const HEX = `${DIGITS}abcdef`;
const URL64 = `${ALNUM}-_`;

/** Texts of tokens, made anew in every run of the tests so that none stands in the repository. */
export interface TokenSource {
  of(alphabet: string, length: number): string;
}

/** Random texts from a seed. */
export function tokenSource(seed: number): TokenSource {
  const rng: Rng = randomFrom(seed);
  const of = (alphabet: string, length: number): string =>
    Array.from({ length }, () => alphabet[rng.integer(alphabet.length)]).join('');
  return { of };
}

const b64 = (text: string) => Buffer.from(text).toString('base64');
const b64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const uuid = (t: TokenSource) => [8, 4, 4, 4, 12].map((n) => t.of(HEX, n)).join('-');
/** Ends in a digit and a capital, so that no draw is all small letters. */
const mixed = (t: TokenSource, n: number) => `${t.of(ALNUM, n - 3)}7Qz`;

/** For each rule a secret of its kind, and the text it stands in (`%` where the secret goes). */
export const SAMPLES: Readonly<Record<string, (t: TokenSource) => readonly [secret: string, text: string]>> =
  {
    'huggingface-token': (t) => [`hf_${t.of(LOWER + UPPER, 34)}`, 'login(token="%")'],
    'openai-key': (t) => [`sk-proj-${t.of(URL64, 58)}T3Blbk${'FJ'}${t.of(ALNUM, 58)}`, 'OPENAI_API_KEY=%'],
    'openai-legacy-key': (t) => [
      `sk-${t.of(ALNUM, 20)}T3Blbk${'FJ'}${t.of(ALNUM, 20)}`,
      'openai.api_key = "%"',
    ],
    'anthropic-key': (t) => [`sk-ant-api03-${t.of(URL64, 93)}AA`, 'client = Anthropic(api_key="%")'],
    'deepseek-key': (t) => [`sk-${t.of(HEX, 32)}`, 'DEEPSEEK_API_KEY=%'],
    'openrouter-key': (t) => [`sk-or-v1-${t.of(HEX, 64)}`, 'key: %'],
    'groq-key': (t) => [`gsk_${t.of(ALNUM, 52)}`, 'Groq(api_key="%")'],
    'xai-key': (t) => [`xai-${t.of(ALNUM, 80)}`, 'XAI_API_KEY=%'],
    'perplexity-key': (t) => [`pplx-${t.of(ALNUM, 48)}`, 'key = "%"'],
    'replicate-token': (t) => [`r8_${t.of(ALNUM, 37)}`, 'REPLICATE_API_TOKEN=%'],
    'nvidia-key': (t) => [`nvapi-${t.of(URL64, 64)}`, 'docker login -p %'],
    'nvidia-legacy-key': (t) => [b64(t.of(ALNUM, 62)), 'export NGC_API_KEY=%'],
    'wandb-key': (t) => [`wandb_v1_${t.of(ALNUM, 27)}_${t.of(ALNUM, 49)}`, 'wandb.login(key="%")'],
    'wandb-legacy-key': (t) => [
      t.of(HEX, 40),
      ['machine api.wandb.ai', 'login user', 'password %'].join('\n  '),
    ],
    'kaggle-token': (t) => [`KGAT_${t.of(HEX, 32)}`, 'KAGGLE_API_TOKEN=%'],
    'kaggle-legacy-key': (t) => [t.of(HEX, 32), '{"username":"somebody","key":"%"}'],
    'langsmith-key': (t) => [`lsv2_pt_${t.of(HEX, 32)}_${t.of(HEX, 10)}`, 'LANGSMITH_API_KEY=%'],
    'langfuse-key': (t) => [`sk-lf-${uuid(t)}`, 'Langfuse(secret_key="%")'],
    'pinecone-key': (t) => [`pcsk_${t.of(ALNUM, 6)}_${t.of(ALNUM, 63)}`, 'Pinecone(api_key="%")'],
    'neptune-token': (t) => [
      b64(`{"api_address":"https://${t.of(LOWER, 20)}","key":"${t.of(ALNUM, 40)}"}`),
      'api_token="%"',
    ],
    'runpod-key': (t) => [`rpa_${t.of(UPPER + DIGITS, 44)}`, 'RUNPOD_API_KEY=%'],
    'fireworks-key': (t) => [`fw_${mixed(t, 24)}`, 'FIREWORKS_API_KEY=%'],
    'together-key': (t) => [`tgp_v1_${t.of(ALNUM, 43)}`, 'TOGETHER_API_KEY=%'],
    'elevenlabs-key': (t) => [`sk_${t.of(HEX, 48)}`, 'ELEVEN_API_KEY=%'],
    'cohere-key': (t) => [mixed(t, 40), 'cohere_api_key = "%"'],
    'mistral-key': (t) => [mixed(t, 32), 'MISTRAL_API_KEY=%'],
    'comet-key': (t) => [mixed(t, 25), 'COMET_API_KEY=%'],
    'clearml-key': (t) => [mixed(t, 50), 'CLEARML_API_SECRET_KEY=%'],
    'roboflow-key': (t) => [mixed(t, 20), 'roboflow_api_key: "%"'],
    'azure-openai-key': (t) => [t.of(HEX, 32), 'AZURE_OPENAI_API_KEY=%'],
    'glacis-key': (t) => [keyText(t.of(ALNUM, 11), t.of(ALNUM, 43)), 'Authorization: Bearer %'],
    'modal-token': (t) => [`as-${mixed(t, 22)}`, 'modal token set --token-id ak-x --token-secret %'],
    'aws-access-key-id': (t) => [`AKIA${t.of(`${UPPER}234567`, 16)}`, 'aws_access_key_id = %'],
    'aws-secret-key': (t) => [`${t.of(`${ALNUM}+/`, 37)}7Qz`, 'aws_secret_access_key = %'],
    'aws-bedrock-key': (t) => [`ABSK${t.of(ALNUM, 110)}`, 'AWS_BEARER_TOKEN_BEDROCK=%'],
    'google-api-key': (t) => [`AIza${t.of(URL64, 35)}`, 'genai.configure(api_key="%")'],
    'google-oauth-secret': (t) => [`GOCSPX-${t.of(URL64, 28)}`, '"client_secret": "%"'],
    'google-oauth-token': (t) => [`ya29.${t.of(ALNUM, 100)}`, 'access_token: %'],
    'azure-storage-key': (t) => [
      `${t.of(ALNUM, 86)}==`,
      'DefaultEndpointsProtocol=https;AccountName=x;AccountKey=%;',
    ],
    'azure-client-secret': (t) => [`${t.of(ALNUM, 3)}8Q~${t.of(ALNUM, 33)}`, 'client_secret="%"'],
    'azure-sas': (t) => [
      `${t.of(ALNUM, 20)}%2B${t.of(ALNUM, 22)}%3D`,
      'https://x.blob.core.windows.net/c?sv=1&sig=%&se=2',
    ],
    'databricks-token': (t) => [`dapi${t.of(HEX, 32)}-2`, 'DATABRICKS_TOKEN=%'],
    'digitalocean-token': (t) => [`dop_v1_${t.of(HEX, 64)}`, 'TOKEN=%'],
    'cloudflare-token': (t) => [`cfut_${t.of(ALNUM, 40)}${t.of(HEX, 8)}`, 'TOKEN=%'],
    'alibaba-access-key-id': (t) => [`LTAI${mixed(t, 20)}`, 'id: %'],
    'vault-token': (t) => [`hvs.${t.of(ALNUM, 95)}`, 'VAULT_TOKEN=%'],
    'terraform-token': (t) => [`.atlasv1.${t.of(ALNUM, 67)}`, `token = "${'a1B2c3D4e5F6g7'}%"`],
    'onepassword-token': (t) => [
      `ops_${b64(`{"signInAddress":"${t.of(ALNUM, 120)}"}`)}`,
      'OP_SERVICE_ACCOUNT_TOKEN=%',
    ],
    'docker-token': (t) => [`dckr_pat_${t.of(ALNUM, 27)}`, 'docker login -p %'],
    'grafana-token': (t) => [`glsa_${t.of(ALNUM, 32)}_${t.of(HEX, 8)}`, 'GRAFANA_TOKEN=%'],
    'tailscale-key': (t) => [`tskey-auth-${t.of(ALNUM, 16)}-${t.of(ALNUM, 32)}`, 'tailscale up --authkey %'],
    'vercel-token': (t) => [`vcp_${t.of(ALNUM, 56)}`, 'VERCEL_TOKEN=%'],
    'github-token': (t) => [`ghp_${t.of(ALNUM, 36)}`, 'https://%@github.com/a/b.git'],
    'github-app-token': (t) => [
      `ghs_${t.of(DIGITS, 8)}_${t.of(ALNUM, 40)}.${t.of(ALNUM, 90)}.${t.of(ALNUM, 60)}`,
      'TOKEN=%',
    ],
    'github-fine-grained-token': (t) => [
      `github_pat_${t.of(ALNUM, 22)}_${t.of(ALNUM, 59)}`,
      'GITHUB_TOKEN=%',
    ],
    'gitlab-token': (t) => [`glpat-${t.of(ALNUM, 20)}`, 'GITLAB_TOKEN=%'],
    'npm-token': (t) => [`npm_${t.of(ALNUM, 36)}`, 'NPM_TOKEN=%'],
    'npmrc-auth': (t) => [uuid(t), '//registry.example.org/:_authToken=%'],
    'pypi-token': (t) => [`pypi-AgEIcHlwaS5vcmc${t.of(URL64, 150)}`, 'password = %'],
    'rubygems-token': (t) => [`rubygems_${t.of(HEX, 48)}`, ':rubygems_api_key: %'],
    'atlassian-token': (t) => [`ATATT3${t.of(URL64, 180)}=${t.of(HEX, 8)}`, 'JIRA=%'],
    'linear-key': (t) => [`lin_api_${t.of(ALNUM, 40)}`, 'LINEAR=%'],
    'notion-token': (t) => [`ntn_${t.of(DIGITS, 11)}${t.of(ALNUM, 35)}`, 'NOTION=%'],
    'figma-token': (t) => [`figd_${t.of(ALNUM, 43)}`, 'FIGMA=%'],
    'slack-token': (t) => [
      `xoxb-${t.of(DIGITS, 12)}-${t.of(DIGITS, 12)}-${t.of(ALNUM, 24)}`,
      'SLACK_TOKEN=%',
    ],
    'slack-webhook': (t) => [
      `T${t.of(UPPER, 9)}/B${t.of(UPPER, 9)}/${t.of(ALNUM, 24)}`,
      `curl https://hooks.${'slack.com'}/services/%`,
    ],
    'discord-webhook': (t) => [
      t.of(URL64, 68),
      `https://discord.com/api/${'webhooks'}/${t.of('123456789', 18)}/%`,
    ],
    'telegram-token': (t) => [`AA${t.of(URL64, 33)}`, `TOKEN = "${t.of('123456789', 9)}:%"`],
    'sendgrid-key': (t) => [`SG.${t.of(ALNUM, 22)}.${t.of(ALNUM, 43)}`, 'SENDGRID=%'],
    'twilio-token': (t) => [t.of(HEX, 32), 'TWILIO_AUTH_TOKEN=%'],
    'stripe-key': (t) => [`sk_${'live'}_${t.of(ALNUM, 24)}`, 'stripe.api_key = "%"'],
    'stripe-test-key': (t) => [`sk_${'test'}_${t.of(ALNUM, 24)}`, 'stripe.api_key = "%"'],
    'webhook-secret': (t) => [`whsec_${t.of(ALNUM, 32)}`, 'SECRET=%'],
    'shopify-token': (t) => [`shpat_${t.of(HEX, 32)}`, 'SHOPIFY=%'],
    'bearer-token': (t) => [mixed(t, 48), 'Authorization: Bearer %'],
    'basic-auth-header': (t) => [b64(`robot:${t.of(ALNUM, 16)}`), 'Authorization: Basic %'],
    'docker-auth': (t) => [b64(`robot:${t.of(ALNUM, 16)}`), '{"auths": {"registry": {"auth": "%"}}}'],
    'binance-key': (t) => [t.of(ALNUM, 64), "BINANCE_API_SECRET = '%'"],
    'coinbase-key': (t) => [t.of(ALNUM, 64), 'coinbase_api_secret: %'],
    'kraken-key': (t) => [`${t.of(ALNUM, 86)}==`, 'KRAKEN_SECRET=%'],
    'bitfinex-key': (t) => [t.of(ALNUM, 43), 'BITFINEX_KEY=%'],
    'bybit-key': (t) => [mixed(t, 36), 'bybit_api_secret="%"'],
    'okx-key': (t) => [uuid(t), 'okx_api_key: %'],
    'kucoin-key': (t) => [uuid(t), 'KUCOIN_API_SECRET=%'],
    'huobi-key': (t) => [
      `${t.of(HEX, 9)}-${t.of(HEX, 8)}-${t.of(HEX, 8)}-${t.of(HEX, 5)}`,
      'huobi_access_key=%',
    ],
    'bitstamp-key': (t) => [mixed(t, 32), 'BITSTAMP_API_KEY=%'],
    'gemini-exchange-key': (t) => [`account-${mixed(t, 20)}`, 'GEMINI_API_KEY=%'],
    'deribit-key': (t) => [t.of(ALNUM, 43), 'DERIBIT_CLIENT_SECRET=%'],
    'bitmex-key': (t) => [t.of(ALNUM, 48), 'bitmex_api_secret = "%"'],
    'alpaca-key': (t) => [t.of(ALNUM, 40), 'APCA_API_SECRET_KEY=%'],
    'private-key': (t) => [
      Array.from({ length: 10 }, () => t.of(`${ALNUM}+/`, 64)).join('\n'),
      `-----${'BEGIN'} RSA PRIVATE KEY-----\n%\n-----END RSA PRIVATE KEY-----\n`,
    ],
    'putty-key': (t) => [
      Array.from({ length: 4 }, () => t.of(`${ALNUM}+/`, 64)).join('\n'),
      'PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 4\n%\nPrivate-MAC: x',
    ],
    'age-key': (t) => [`AGE-${'SECRET'}-KEY-1${t.of('QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L', 58)}`, '# key\n%\n'],
    jwt: (t) => [
      `${b64url({ alg: 'HS256', typ: 'JWT' })}.${b64url({ sub: t.of(ALNUM, 12), admin: true })}.${t.of(URL64, 43)}`,
      'cookie: session=%',
    ],
    'database-url': (t) => [t.of(ALNUM, 14), 'DATABASE_URL=postgresql+psycopg2://app:%@db.internal:5432/app'],
    'url-password': (t) => [t.of(ALNUM, 14), 'pip install --index-url https://ci:%@pypi.internal/simple'],
    'netrc-password': (t) => [t.of(ALNUM, 14), ['machine git.internal login ci', 'password %'].join(' ')],
    'named-secret': (t) => [mixed(t, 40), 'internal_service_token = "%"'],
    'named-password': (t) => [`${t.of(LOWER, 7)}7Q!`, 'db_password = "%"'],
  };
