import type { SecretRule } from '../rule.ts';
import { END, named, prefixed, START, sticky } from './patterns.ts';

const SPEAKS = 'Whoever has it reads the messages and speaks in the owner’s name.';
const MONEY = 'Whoever has it moves the owner’s money or sees customers’ data.';

/** Keys of messengers, mail, payment and shops. */
export const SERVICE_RULES: readonly SecretRule[] = [
  prefixed(
    'slack-token',
    'Slack token',
    ['xoxb-', 'xoxp-', 'xoxa-', 'xoxe-', 'xoxo-', 'xoxr-', 'xoxs-', 'xoxc-', 'xoxd-', 'xapp-'],
    `(?:\\d-)?(?:[A-Za-z0-9]{1,40}-){1,6}[A-Za-z0-9]{8,80}`,
    'https://api.slack.com/concepts/token-types',
    { why: SPEAKS },
  ),
  {
    id: 'slack-webhook',
    title: 'Slack incoming webhook',
    severity: 'high',
    why: 'Whoever has it posts into the channel.',
    anchors: ['hooks.slack.com/'],
    pattern: sticky(
      `hooks\\.slack\\.com/(?:services|workflows|triggers)/(?<secret>[A-Z0-9]{1,40}/[A-Za-z0-9]{1,40}/[A-Za-z0-9]{8,64})`,
    ),
    entropy: 3,
    source: 'https://api.slack.com/messaging/webhooks',
  },
  {
    id: 'discord-webhook',
    title: 'Discord webhook',
    severity: 'high',
    why: 'Whoever has it posts into the channel.',
    anchors: ['discord.com/api/webhooks/', 'discordapp.com/api/webhooks/'],
    pattern: sticky(
      `discord(?:app)?\\.com/api/webhooks/\\d{15,22}/(?<secret>[A-Za-z0-9_-]{60,80})(?![A-Za-z0-9_-])`,
    ),
    entropy: 3,
    source: 'https://discord.com/developers/docs/resources/webhook',
  },
  {
    id: 'telegram-token',
    title: 'Telegram bot token',
    severity: 'critical',
    why: SPEAKS,
    anchors: [':AA'],
    pattern: sticky(`(?<=(?<!\\d)\\d{8,10}):(?<secret>AA[A-Za-z0-9_-]{32,33})(?![A-Za-z0-9_-])`),
    entropy: 3,
    source: 'https://core.telegram.org/bots/api#authorizing-your-bot',
  },
  prefixed(
    'sendgrid-key',
    'SendGrid API key',
    ['SG.'],
    `[A-Za-z0-9_-]{16,128}\\.[A-Za-z0-9_-]{16,128}`,
    'https://www.twilio.com/docs/sendgrid/ui/account-and-settings/api-keys',
    { why: SPEAKS },
  ),
  named(
    'twilio-token',
    'Twilio auth token',
    ['twilio'],
    'token|secret|key',
    '(?:SK)?[0-9a-f]{32}',
    'https://www.twilio.com/docs/iam/api',
    { why: SPEAKS },
  ),
  prefixed(
    'stripe-key',
    'Stripe secret key',
    ['sk_live_', 'rk_live_'],
    `[A-Za-z0-9]{24,99}${END}`,
    'https://docs.stripe.com/keys',
    { why: MONEY },
  ),
  prefixed(
    'stripe-test-key',
    'Stripe test key',
    ['sk_test_', 'rk_test_'],
    `[A-Za-z0-9]{24,99}${END}`,
    'https://docs.stripe.com/keys',
    { severity: 'low', why: 'It moves no money, but it shows and changes the test account.' },
  ),
  prefixed(
    'webhook-secret',
    'Webhook signing secret',
    ['whsec_'],
    `[A-Za-z0-9+/]{32,64}={0,2}${END}`,
    'https://docs.stripe.com/webhooks/signature',
    { severity: 'high', why: 'Whoever has it forges events that the receiver trusts.' },
  ),
  prefixed(
    'shopify-token',
    'Shopify token',
    ['shpat_', 'shpca_', 'shppa_', 'shpss_'],
    `[A-Za-z0-9]{32,64}${END}`,
    'https://shopify.dev/docs/apps/build/authentication-authorization',
    { why: MONEY },
  ),
  {
    id: 'bearer-token',
    title: 'Token in an Authorization header',
    severity: 'high',
    why: 'Whoever has it sends requests in the owner’s name.',
    anchors: ['bearer '],
    pattern: sticky(`${START}bearer[ ]{1,2}(?<secret>[A-Za-z0-9._~+/-]{20,1000}={0,2})`, 'i'),
    entropy: 3.7,
    confirm: (secret) => /\d/.test(secret) && /[A-Za-z]/.test(secret),
    loose: true,
    source: 'https://www.rfc-editor.org/rfc/rfc6750',
  },
  {
    id: 'basic-auth-header',
    title: 'Password in an Authorization header',
    severity: 'high',
    why: 'Base64 hides nothing: user and password can be read.',
    anchors: ['basic '],
    pattern: sticky(`${START}basic[ ]{1,2}(?<secret>[A-Za-z0-9+/]{12,400}={0,2})(?![A-Za-z0-9+/])`, 'i'),
    confirm: (secret) => holdsUserAndPassword(secret),
    loose: true,
    source: 'https://www.rfc-editor.org/rfc/rfc7617',
  },
  {
    id: 'docker-auth',
    title: 'Password in a Docker configuration',
    severity: 'critical',
    why: 'Base64 hides nothing: whoever reads it replaces images that others run.',
    anchors: ['auth"', "auth'"],
    pattern: sticky(
      String.raw`auth\\?["'][ \t]{0,4}:[ \t]{0,4}\\?["'](?<secret>[A-Za-z0-9+/]{12,400}={0,2})(?![A-Za-z0-9+/])`,
    ),
    confirm: (secret) => holdsUserAndPassword(secret),
    source: 'https://docs.docker.com/reference/cli/docker/login/',
  },
];

/** Whether base64 text is printable and reads `user:password`. */
function holdsUserAndPassword(base64: string): boolean {
  const text = Buffer.from(base64, 'base64').toString('latin1');
  return /^[\x21-\x39\x3b-\x7e]{1,100}:[\x21-\x7e]{4,400}$/.test(text);
}
