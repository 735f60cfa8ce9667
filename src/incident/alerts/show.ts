import type { AlarmSeverity } from '../../monitor/alarm.ts';
import type { AlertOutboxRow, Store } from '../../store/index.ts';
import type { Channel } from './channel.ts';
import type { ChannelConfig } from './config-schema.ts';

/** A receiver as it is shown. */
export interface ChannelState {
  readonly name: string;
  readonly kind: ChannelConfig['kind'];
  /** Host or address, without a secret. */
  readonly to: string;
  readonly least: AlarmSeverity;
  readonly quiet?: string | undefined;
  readonly waiting: number;
  readonly sent: number;
  readonly givenUp: number;
  readonly lastSent?: number | undefined;
  /** Why the last try failed; undefined where it did not. */
  readonly because?: string | undefined;
}

/** A message as it is shown. */
export interface ShownAlert {
  readonly id: string;
  readonly at: number;
  readonly channel: string;
  readonly title: string;
  readonly severity: AlarmSeverity;
  readonly case?: string | undefined;
  readonly state: 'waiting' | 'sent' | 'given-up';
  readonly tries: number;
  /** When it is tried again. */
  readonly next?: number | undefined;
  readonly sent?: number | undefined;
  readonly because?: string | undefined;
}

/** Which messages; the newest first. */
export interface AlertQuery {
  readonly channel?: string | undefined;
  readonly state?: ShownAlert['state'] | undefined;
  readonly before?: number | undefined;
  readonly most?: number | undefined;
}

/** A page of them; `next` is the `before` of the page after it. */
export interface AlertPage {
  readonly rows: readonly ShownAlert[];
  readonly next?: string | undefined;
}

const MOST = 200;
const USUAL = 50;

/** How receivers stand. Errors: those of the store. */
export async function channelStates(
  { reader }: Pick<Store, 'reader'>,
  receivers: readonly {
    readonly config: ChannelConfig;
    readonly channel: Channel;
    readonly because: string | undefined;
  }[],
): Promise<readonly ChannelState[]> {
  const sums = await reader
    .selectFrom('alerts')
    .select(({ fn }) => ['channel', 'state', fn.countAll().as('count'), fn.max('sent').as('last')])
    .groupBy(['channel', 'state'])
    .execute();
  return receivers.map(({ config, channel, because }) => {
    const { name, kind, least, quiet } = config;
    const of = (state: string) => sums.find((sum) => sum.channel === name && sum.state === state);
    const last = of('sent')?.last;
    return {
      ...{ name, kind, to: channel.to, least },
      ...(quiet && { quiet: `${quiet.from} to ${quiet.to}, ${quiet.zone}` }),
      waiting: Number(of('waiting')?.count ?? 0),
      sent: Number(of('sent')?.count ?? 0),
      givenUp: Number(of('given-up')?.count ?? 0),
      ...(last !== undefined && last !== null && { lastSent: Number(last) }),
      ...(because !== undefined && { because }),
    };
  });
}

/** A page of messages. Errors: those of the store. */
export async function listAlerts(
  { reader }: Pick<Store, 'reader'>,
  { channel, state, before, most = USUAL }: AlertQuery,
): Promise<AlertPage> {
  const size = Math.min(MOST, Math.max(1, most));
  let query = reader.selectFrom('alerts').selectAll();
  if (channel !== undefined) query = query.where('channel', '=', channel);
  if (state !== undefined) query = query.where('state', '=', state);
  if (before !== undefined) query = query.where('sequence', '<', before);
  const rows = await query
    .orderBy('sequence', 'desc')
    .limit(size + 1)
    .execute();
  const page = rows.slice(0, size);
  return { rows: page.map(shownAlert), ...(rows.length > size && { next: String(page.at(-1)!.sequence) }) };
}

/** A row without what is said. */
export function shownAlert(row: AlertOutboxRow): ShownAlert {
  const { id, at, channel, title, tries, due, sent, because } = row;
  const state = row.state as ShownAlert['state'];
  return {
    ...{ id, at, channel, title, state, tries },
    severity: row.severity as AlarmSeverity,
    ...(row.case_id !== null && { case: row.case_id }),
    ...(state === 'waiting' && { next: due }),
    ...(sent !== null && { sent }),
    ...(because !== null && state !== 'sent' && { because }),
  };
}
