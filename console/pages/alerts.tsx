import type { AlertRow, AlertsView } from '../../src/gateway/console/api.ts';
import { tell } from '../data/ask.ts';
import { pathOf, touch, useQuery, useRows } from '../data/query.ts';
import { useMay } from '../data/session.ts';
import { Badge, Severity } from '../parts/badge.tsx';
import { Button } from '../parts/button.tsx';
import { Card, Opening } from '../parts/card.tsx';
import { Empty } from '../parts/empty.tsx';
import { Facts, Filters, Select } from '../parts/field.tsx';
import { count, counted } from '../parts/format.ts';
import { Loaded } from '../parts/loading.tsx';
import { PagedTable } from '../parts/table.tsx';
import { Text } from '../parts/text.tsx';
import { Time } from '../parts/time.tsx';
import { Link, pathTo, setQuery } from '../shell/router.tsx';
import type { PageProps } from '../shell/routes.ts';
import { failed, said } from '../shell/toast.tsx';

type Channel = AlertsView['channels'][number];

const KINDS: Readonly<Record<Channel['kind'], string>> = {
  webhook: 'Signed webhook',
  email: 'E-mail',
  slack: 'Slack',
  pagerduty: 'PagerDuty',
  ocsf: 'OCSF to a SIEM',
  cloudevents: 'CloudEvents',
};

/** Where alarms are sent, what became of each message, and a test that takes the real way. */
export default function AlertsPage({ query }: PageProps) {
  const alerts = useQuery<AlertsView>('/api/alerts', { every: 15_000 });
  return (
    <Loaded query={alerts} what="the channels">
      {({ channels }) => {
        const bad = channels.filter(({ because }) => because !== undefined);
        const waiting = channels.reduce((sum, each) => sum + each.waiting, 0);
        return (
          <>
            {channels.length === 0 ? (
              <Opening chip="Nobody is told" tone="warn" title="Alarms reach nobody outside this console.">
                Name a channel in <code>glacis.yaml</code> below <code>serve: alerts: channels:</code> and
                reload. A webhook, a mail server, Slack, PagerDuty or a SIEM will do.
              </Opening>
            ) : bad.length > 0 ? (
              <Opening
                chip="Not reached"
                tone="changed"
                title={
                  <>
                    <Text of={bad[0]!.name} most={30} /> cannot be reached.
                  </>
                }
              >
                {counted(waiting, 'message waits', 'messages wait')}; none is lost. They are sent when the
                receiver answers again.
              </Opening>
            ) : (
              <Opening
                chip="All reached"
                tone="held"
                title={`${counted(channels.length, 'channel')}, all reached.`}
              >
                {waiting === 0 ? 'Nothing waits.' : `${counted(waiting, 'message waits', 'messages wait')}.`}{' '}
                A test takes the way that an alarm takes.
              </Opening>
            )}
            <div class="columns">
              {channels.map((channel) => (
                <ChannelCard key={channel.name} of={channel} />
              ))}
            </div>
            <Outbox channels={channels} query={query} />
          </>
        );
      }}
    </Loaded>
  );
}

function ChannelCard({ of }: { readonly of: Channel }) {
  const may = useMay('alerts.send');
  const test = async (): Promise<void> => {
    const row = await tell<AlertRow>(`/api/alerts/${encodeURIComponent(of.name)}/test`);
    tellOf(row, 'test');
  };
  return (
    <Card
      title={<Text of={of.name} most={30} />}
      side={
        <>
          {of.because === undefined ? (
            <Badge tone="held">Reached</Badge>
          ) : (
            <Badge tone="changed">Not reached</Badge>
          )}
          {may && (
            <Button small about={of.name} onPress={test}>
              Send a test
            </Button>
          )}
        </>
      }
      {...(of.because === undefined ? {} : { tone: 'alarmed' as const })}
    >
      {of.because !== undefined && (
        <p class="problem-line">
          <Text of={of.because} most={300} />
        </p>
      )}
      <Facts
        of={[
          ['Kind', KINDS[of.kind] ?? String(of.kind)],
          ['To', <Text key="to" of={of.to} most={80} />],
          ['Told of', <Severity key="least" of={of.least} />],
          of.quiet !== undefined && ['Quiet', <Text key="quiet" of={of.quiet} most={120} />],
          [
            'Sent',
            <>
              {count(of.sent)}, the last <Time at={of.lastSent} />
            </>,
          ],
          ['Waiting', count(of.waiting)],
        ]}
      />
    </Card>
  );
}

/** What became of a message that somebody sent. */
function tellOf({ channel, state, because }: AlertRow, what: 'test' | 'message'): void {
  touch('/api/alerts');
  if (state === 'sent') said(`The ${what} reached ${channel}.`);
  else failed(new Error(`The ${what} did not reach ${channel} yet: ${because ?? 'it waits'}.`));
}

const STATES = {
  waiting: ['Waits', 'warn'],
  sent: ['Sent', 'held'],
  'given-up': ['Given up', 'changed'],
} as const;

function Outbox({
  channels,
  query,
}: {
  readonly channels: readonly Channel[];
  readonly query: URLSearchParams;
}) {
  const may = useMay('alerts.send');
  const [channel, state] = [query.get('channel') ?? '', query.get('state') ?? ''];
  const rows = useRows<AlertRow>(pathOf('/api/alerts/outbox', { channel, state }), ({ id }) => id);
  return (
    <Card title="Messages" lead="Every message is kept until its receiver has it. The newest first." flush>
      <Filters>
        <Select
          label="Channel"
          value={channel}
          options={[['', 'all'], ...channels.map(({ name }) => [name, name] as const)]}
          onChange={(next) => setQuery({ channel: next })}
        />
        <Select
          label="State"
          value={state}
          options={[
            ['', 'all'],
            ['waiting', 'waiting'],
            ['sent', 'sent'],
            ['given-up', 'given up'],
          ]}
          onChange={(next) => setQuery({ state: next })}
        />
      </Filters>
      <PagedTable
        label="Messages"
        what="the messages"
        list={rows}
        keyOf={({ id }) => id}
        toneOf={({ state: now }) => (now === 'given-up' ? 'alarmed' : undefined)}
        empty={
          <Empty title="Nothing was sent" icon="alerts">
            Messages appear here when a monitor raises an alarm, or when you send a test.
          </Empty>
        }
        columns={[
          {
            id: 'title',
            title: 'Message',
            cell: (row) =>
              row.case === undefined ? (
                <Text of={row.title} most={90} />
              ) : (
                <Link to={pathTo('cases', row.case)}>
                  <Text of={row.title} most={90} />
                </Link>
              ),
          },
          { id: 'severity', title: 'Severity', extra: true, cell: (row) => <Severity of={row.severity} /> },
          { id: 'channel', title: 'Channel', cell: (row) => <Text of={row.channel} most={24} /> },
          {
            id: 'state',
            title: 'State',
            cell: (row) => {
              const [words, tone] = STATES[row.state] ?? [row.state, 'rest'];
              return (
                <>
                  <Badge tone={tone}>{words}</Badge>{' '}
                  {row.state === 'waiting' && row.next !== undefined && (
                    <span class="muted small">
                      again <Time at={row.next} />
                    </span>
                  )}
                  {row.because !== undefined && row.state !== 'sent' && (
                    <span class="muted small block">
                      <Text of={row.because} most={100} />
                    </span>
                  )}
                </>
              );
            },
          },
          {
            id: 'again',
            title: <span class="unseen">Send again</span>,
            cell: (row) =>
              row.state === 'given-up' &&
              may && (
                <Button
                  small
                  about={`${row.title}, to ${row.channel}`}
                  onPress={async () =>
                    tellOf(
                      await tell<AlertRow>(`/api/alerts/outbox/${encodeURIComponent(row.id)}/again`),
                      'message',
                    )
                  }
                >
                  Send again
                </Button>
              ),
          },
          { id: 'tries', title: 'Tries', number: true, extra: true, cell: (row) => count(row.tries) },
          { id: 'at', title: 'When', number: true, cell: (row) => <Time at={row.at} /> },
        ]}
      />
    </Card>
  );
}
