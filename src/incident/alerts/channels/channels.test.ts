import { createHmac, timingSafeEqual } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { type AlertsSide, aCase, alarmIn, alertsSide, ENV, eventIn, HOOK } from '../alerts.fixture.ts';
import { alertsSchema } from '../config-schema.ts';

let side: AlertsSide | undefined;
afterEach(async () => {
  await side?.close();
  side = undefined;
});
const opened = async (...channels: object[]): Promise<AlertsSide> => {
  side = await alertsSide({
    channels: channels.map((channel, i) => ({ name: `c${i}`, least: 'low', ...channel })),
  });
  return side;
};
/** What a caller may have chosen as a name. */
const HOSTILE = [
  'acme\r\nBcc: everybody@example.org',
  '<!channel> <https://evil.example|click>',
  '<script>alert(1)</script>',
  '*bold* `code` & "quotes" \\u202e',
  '\u202egnp.exe\u2066\ufeff\u0000\u001b[31m',
  '\ud800 alone',
  '=HYPERLINK("https://evil.example")',
  '{{template}} $(env) %0d%0a',
];
const hostileCase = () =>
  aCase({
    title: HOSTILE.join(' '),
    principals: HOSTILE,
    models: [HOSTILE[0]!, HOSTILE[2]!],
    severity: 'critical',
    atlas: ['AML.T0024.002', 'AML.T0042'],
  });
const tell = async (at: AlertsSide, change = alarmIn(hostileCase(), { why: HOSTILE.join('\n') })) => {
  at.alerts.notify(change);
  await at.alerts.send();
  return at.received.at(-1)!;
};

describe('a webhook', () => {
  it('is signed as Standard Webhooks has it, by each key while one replaces another', async () => {
    const at = await opened({ ...HOOK, keys: [{ env: 'NEW' }, { env: 'KEY' }] });
    const { headers, body } = await tell(at);
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    const mac = (key: Buffer) => `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
    expect(headers['webhook-signature']).toBe(`${mac(Buffer.alloc(24, 1))} ${mac(Buffer.from(ENV.KEY))}`);
    expect(headers['webhook-timestamp']).toBe(String(Math.floor(at.time.now / 1000)));
    const changed = createHmac('sha256', ENV.KEY).update(signed.replace('critical', 'low')).digest();
    expect(timingSafeEqual(changed, Buffer.from(mac(Buffer.from(ENV.KEY)).slice(3), 'base64'))).toBe(false);
  });

  it('has the known signature of the specification’s example', async () => {
    // From the reference implementations' own tests (github.com/standard-webhooks/standard-webhooks).
    const key = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64');
    const mac = createHmac('sha256', key)
      .update('msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}')
      .digest('base64');
    expect(mac).toBe('g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  it('needs a key that nobody guesses', async () => {
    await expect(alertsSide({ channels: [{ ...HOOK, keys: [{ env: 'PASSWORD' }] }] })).rejects.toMatchObject({
      code: 'option/invalid',
    });
  });
});

describe('Slack', () => {
  it('mentions nobody and hides no link, whatever callers are called', async () => {
    const { json } = await tell(await opened({ kind: 'slack', url: { env: 'SLACK' } }));
    expect(json.text).not.toMatch(/[<>]/);
    expect(json).toMatchObject({ link_names: false, unfurl_links: false });
    const blocks = json.blocks as {
      type: string;
      text?: { type: string; text: string };
      elements?: { text: { type: string } }[];
    }[];
    for (const { text, elements } of blocks) {
      expect((text ?? elements![0]!.text).type).toBe('plain_text');
      if (text !== undefined) expect(text.text.length).toBeLessThanOrEqual(2900);
    }
    expect(blocks[0]!.text!.text.length).toBeLessThanOrEqual(150);
    for (const { text } of blocks) expect(text?.text ?? '').not.toMatch(/[^\P{C}\n]/u);
  });
});

describe('PagerDuty', () => {
  it('has one incident a case, which begins, is acknowledged and ends with it', async () => {
    const at = await opened({ kind: 'pagerduty', routingKey: { env: 'ROUTE' } });
    const found = aCase();
    await tell(at, alarmIn(found));
    await tell(at, eventIn(found, { kind: 'owner', to: 'ann' }));
    await tell(
      at,
      eventIn(
        { ...found, state: 'closed' },
        { kind: 'state', from: 'open', to: 'closed', verdict: 'attack' },
      ),
    );
    expect(at.received.map(({ url, json }) => [url, json.event_action, json.dedup_key])).toEqual(
      ['trigger', 'acknowledge', 'resolve'].map((action) => [
        'https://events.pagerduty.com/v2/enqueue',
        action,
        'glacis-C-2026-0007',
      ]),
    );
    expect(at.received[0]!.json).toMatchObject({
      routing_key: 'routing-key',
      payload: { severity: 'error', source: 'signs', summary: expect.stringContaining('acme is copying') },
    });
  });

  it('keeps within the limits of the protocol', async () => {
    const { json } = await tell(await opened({ kind: 'pagerduty', routingKey: { env: 'ROUTE' } }));
    expect((json.payload as { summary: string }).summary.length).toBeLessThanOrEqual(1024);
    expect(String(json.dedup_key).length).toBeLessThanOrEqual(255);
  });
});

describe('CloudEvents', () => {
  it('has the attributes that version 1.0 requires, of the kinds that it requires', async () => {
    const { json, headers } = await tell(
      await opened({ kind: 'cloudevents', url: 'https://siem.example.org/', token: { env: 'TOKEN' } }),
    );
    expect(headers).toMatchObject({
      'content-type': 'application/cloudevents+json; charset=utf-8',
      authorization: 'Bearer bearer-token',
    });
    expect(json).toMatchObject({
      specversion: '1.0',
      source: 'https://glacis.example.org',
      type: 'glacis.case.trigger',
      subject: 'C-2026-0007',
      datacontenttype: 'application/json',
    });
    expect(String(json.id)).toMatch(/^[0-9a-f]{32}$/);
    expect(new Date(String(json.time)).toISOString()).toBe(json.time);
    for (const name of Object.keys(json)) expect(name).toMatch(/^[a-z0-9]{1,20}$/);
  });
});

describe('OCSF', () => {
  it('is a Detection Finding: all that is required, nothing that the schema does not have, matching ids', async () => {
    const at = await opened({ kind: 'ocsf', url: 'https://siem.example.org/' });
    const { json } = await tell(at);
    // Attributes of github.com/ocsf/ocsf-schema: events/findings/detection_finding.json with what it extends, and the objects that are used.
    const attributes: Readonly<Record<string, string>> = {
      '': 'activity_id activity_name category_name category_uid class_name class_uid comment confidence confidence_id confidence_score count duration end_time enrichments evidences finding_info impact impact_id impact_score is_alert malware message metadata observables raw_data remediation resources severity severity_id start_time status status_code status_detail status_id time timezone_offset type_name type_uid unmapped vulnerabilities',
      metadata:
        'correlation_uid event_code labels log_level log_name log_provider log_version logged_time modified_time original_time processed_time product profiles sequence uid version',
      'metadata.product': 'feature lang name path uid url_string vendor_name version',
      'metadata.product.feature': 'name uid version',
      finding_info:
        'analytic attacks created_time data_sources desc first_seen_time kill_chain last_seen_time modified_time product product_uid related_analytics related_events related_events_count src_url tags title types uid',
      'finding_info.analytic': 'category desc name related_analytics type type_id uid version',
      'finding_info.attacks': 'sub_technique tactic tactics technique version',
      'finding_info.attacks.technique': 'name src_url uid',
      'finding_info.attacks.sub_technique': 'name src_url uid',
      resources: 'criticality data group labels name namespace owner type uid version',
      observables: 'name reputation type type_id value',
      evidences: 'actor api data device file name process uid url user verdict verdict_id',
      'evidences.user': 'account credential_uid domain email_addr full_name groups name org type type_id uid',
    };
    const check = (value: unknown, at: string): void => {
      if (Array.isArray(value)) for (const each of value) check(each, at);
      else if (typeof value === 'object' && value !== null && at in attributes)
        for (const [name, inner] of Object.entries(value)) {
          expect(attributes[at]!.split(' '), `${at}.${name}`).toContain(name);
          if (typeof inner === 'object' && at !== 'evidences')
            check(inner, at === '' ? name : `${at}.${name}`);
        }
      else if (typeof value === 'object') expect.fail(`no attributes are known of ${at}`);
    };
    check(json, '');
    for (const name of [
      'activity_id',
      'category_uid',
      'class_uid',
      'finding_info',
      'metadata',
      'severity_id',
      'time',
      'type_uid',
    ])
      expect(json).toHaveProperty(name);
    expect(json).toMatchObject({
      ...{
        class_uid: 2004,
        category_uid: 2,
        activity_id: 1,
        type_uid: 200_401,
        severity_id: 5,
        severity: 'Critical',
        status_id: 1,
        is_alert: true,
      },
      metadata: { product: { vendor_name: 'Glacis', name: 'Glacis' } },
      finding_info: {
        uid: 'C-2026-0007',
        attacks: [
          { technique: { uid: 'AML.T0024' }, sub_technique: { uid: 'AML.T0024.002' } },
          { technique: { uid: 'AML.T0042' } },
        ],
      },
    });
    const closed = await tell(
      at,
      eventIn(aCase({ state: 'closed', verdict: 'false-alarm', severity: 'critical' }), {
        kind: 'state',
        from: 'open',
        to: 'closed',
        verdict: 'false-alarm',
      }),
    );
    expect(closed.json).toMatchObject({ activity_id: 3, type_uid: 200_403, status_id: 3, is_alert: false });
  });
});

describe('every channel over HTTP', () => {
  const all = [
    HOOK,
    { kind: 'slack', url: { env: 'SLACK' } },
    { kind: 'pagerduty', routingKey: { env: 'ROUTE' } },
    { kind: 'cloudevents', url: 'https://a.example/', token: { env: 'TOKEN' } },
    { kind: 'ocsf', url: 'https://b.example/', token: { env: 'TOKEN' } },
  ].map((each, i) => ({ ...each, name: `c${i}` }));

  it('sends well-formed JSON of bounded length, and nothing of a caller in a header', async () => {
    const at = await opened(...all);
    const long = aCase({
      title: 'x'.repeat(100_000),
      principals: Array(1000).fill('p'.repeat(10_000)),
      models: Array(1000).fill('m'.repeat(10_000)),
    });
    at.alerts.notify(alarmIn(long, { why: 'y'.repeat(1_000_000), decisions: Array(64).fill('d') }));
    at.alerts.notify(alarmIn({ ...hostileCase(), id: 'C-2026-0008' }));
    await at.alerts.send();
    expect(at.received).toHaveLength(10);
    for (const { body, headers } of at.received) {
      expect(body.length).toBeLessThan(64_000);
      expect(body.isWellFormed()).toBe(true);
      for (const value of Object.values(headers)) expect(value).toMatch(/^[\x20-\x7e]*$/);
      expect(JSON.stringify(headers)).not.toContain('acme');
    }
  });

  it('shows no secret: not in what is listed, not in what failed, not in the store', async () => {
    const at = await opened(...all);
    at.answer = () => ({ status: 500 });
    at.alerts.notify(alarmIn());
    await at.alerts.send();
    for (const { name } of all) await at.alerts.test(name, 'ann');
    const shown = JSON.stringify([
      await at.alerts.channels(),
      await at.alerts.outbox({}),
      at.failures.map(String),
      at.alerts.problem,
      await at.store.db.selectFrom('alerts').selectAll().execute(),
    ]);
    for (const secret of [...Object.values(ENV), 'T0/B0']) expect(shown).not.toContain(secret);
  });
});

describe('the configuration', () => {
  it.each([
    ['a secret in the file itself', { ...HOOK, keys: ['hunter2hunter2hunter2'] }],
    ['an unknown key', { ...HOOK, colour: 'red' }],
    ['an address that is none', { ...HOOK, url: 'hooks' }],
    ['a name that is no name', { ...HOOK, name: '../x' }],
    ['a zone that is nowhere', { ...HOOK, quiet: { from: '22:00', to: '07:00', zone: 'Mars/Olympus' } }],
    ['quiet hours without an end', { ...HOOK, quiet: { from: '22:00', to: '22:00' } }],
    [
      'a recipient with a line break',
      {
        kind: 'email',
        name: 'm',
        host: 'h',
        from: 'a@example.org',
        to: ['b@example.org\nBcc: c@example.org'],
      },
    ],
  ])('refuses %s', (_, channel) => {
    expect(alertsSchema.safeParse({ channels: [channel] }).success).toBe(false);
  });

  it('refuses an address with a password, a file that is not there, a secret of several lines', async () => {
    for (const channel of [
      { ...HOOK, url: 'https://user@hooks.example.org/' },
      { ...HOOK, ca: '/not/there.pem' },
      { ...HOOK, url: 'ftp://hooks.example.org/' },
    ])
      await expect(alertsSide({ channels: [channel] })).rejects.toMatchObject({ code: 'option/invalid' });
  });
});
