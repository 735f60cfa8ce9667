import type { SecretRule } from '../rule.ts';
import { ASSIGN, sticky } from './patterns.ts';

/** An exchange: the names it goes by in code, and what its keys and secrets look like. */
interface Exchange {
  readonly id: string;
  readonly title: string;
  readonly names: readonly string[];
  readonly body: string;
  readonly source: string;
}

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';

const EXCHANGES: readonly Exchange[] = [
  {
    id: 'binance-key',
    title: 'Binance API key or secret',
    names: ['binance'],
    body: '[A-Za-z0-9]{64}',
    source: 'https://developers.binance.com/docs/binance-spot-api-docs',
  },
  {
    id: 'coinbase-key',
    title: 'Coinbase API key or secret',
    names: ['coinbase', 'cdp_api'],
    body: `(?:organizations/${UUID}/apiKeys/${UUID}|[A-Za-z0-9+/]{86}==|[A-Za-z0-9]{64}|[A-Za-z0-9]{32}|[A-Za-z0-9]{16})`,
    source: 'https://docs.cdp.coinbase.com/',
  },
  {
    id: 'kraken-key',
    title: 'Kraken API key or secret',
    names: ['kraken'],
    body: '(?:[A-Za-z0-9+/]{86}==|[A-Za-z0-9+/]{56})',
    source: 'https://docs.kraken.com/api/',
  },
  {
    id: 'bitfinex-key',
    title: 'Bitfinex API key or secret',
    names: ['bitfinex', 'bfx_'],
    body: '[A-Za-z0-9]{43}',
    source: 'https://docs.bitfinex.com/docs/rest-auth',
  },
  {
    id: 'bybit-key',
    title: 'Bybit API key or secret',
    names: ['bybit'],
    body: '(?:[A-Za-z0-9]{36}|[A-Za-z0-9]{18})',
    source: 'https://bybit-exchange.github.io/docs/v5/guide',
  },
  {
    id: 'okx-key',
    title: 'OKX API key or secret',
    names: ['okx_', 'okx.', 'okex', 'okx('],
    body: `(?:${UUID}|[A-F0-9]{32})`,
    source: 'https://www.okx.com/docs-v5/en/',
  },
  {
    id: 'kucoin-key',
    title: 'KuCoin API key or secret',
    names: ['kucoin'],
    body: `(?:${UUID}|[0-9a-f]{24})`,
    source: 'https://www.kucoin.com/docs-new/authentication',
  },
  {
    id: 'huobi-key',
    title: 'HTX (Huobi) API key or secret',
    names: ['huobi', 'htx_'],
    body: '[0-9a-z]{8,12}-[0-9a-z]{8}-[0-9a-z]{8}-[0-9a-z]{5,6}',
    source: 'https://www.htx.com/en-us/opend/newApiPages/',
  },
  {
    id: 'bitstamp-key',
    title: 'Bitstamp API key or secret',
    names: ['bitstamp'],
    body: '[A-Za-z0-9]{32}',
    source: 'https://www.bitstamp.net/api/',
  },
  {
    id: 'gemini-exchange-key',
    title: 'Gemini (exchange) API key',
    names: ['gemini'],
    body: '(?:account|master)-[A-Za-z0-9]{20}',
    source: 'https://docs.gemini.com/',
  },
  {
    id: 'deribit-key',
    title: 'Deribit client secret',
    names: ['deribit'],
    body: '[A-Za-z0-9_-]{43}',
    source: 'https://docs.deribit.com/',
  },
  {
    id: 'bitmex-key',
    title: 'BitMEX API key or secret',
    names: ['bitmex'],
    body: '(?:[A-Za-z0-9_-]{48}|[A-Za-z0-9_-]{24})',
    source: 'https://www.bitmex.com/app/apiKeys',
  },
  {
    id: 'alpaca-key',
    title: 'Alpaca API key or secret',
    names: ['alpaca', 'apca'],
    body: '(?:[PAC]K[A-Z0-9]{18,24}|[A-Za-z0-9]{40,44})',
    source: 'https://docs.alpaca.markets/docs/getting-started',
  },
];

/**
 * Keys of exchanges and brokers. Their keys have no mark of their own, so the exchange's name must stand before them: in the
 * name of a variable, or as the class of a client
 * or the name of a section, as in ccxt's `binance({'apiKey': …})`.
 */
export const EXCHANGE_RULES: readonly SecretRule[] = EXCHANGES.map(({ id, title, names, body, source }) => {
  const name = names.map((n) => n.replace(/[.(]/g, '\\$&')).join('|');
  const variable = `[\\w.-]{0,24}?(?:key|secret|token|pass\\w{0,10})\\w{0,6}?${ASSIGN}`;
  const client = `\\w{0,12}(?:[ \\t]{0,4}\\(|[\\\\"']{0,2}[ \\t]{0,4}[:=][ \\t]{0,4}\\{)[^()]{0,160}?(?:api_?key|secret)${ASSIGN}`;
  return {
    id,
    title,
    severity: 'critical',
    why: 'Whoever has it trades or withdraws on the account, and nothing brings that back.',
    anchors: names,
    pattern: sticky(`(?:${name})(?:${variable}|${client})(?<secret>${body})(?![A-Za-z0-9+/_=-])`, 'i'),
    entropy: 3,
    confirm: (secret) => /\d/.test(secret) && /[A-Za-z]/.test(secret),
    source,
  };
});
