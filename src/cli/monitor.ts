import { ALARM_SEVERITIES } from '../monitor/alarm.ts';
import { analysePast } from '../monitor/past/analyse-past.ts';
import { renderMonitorHtml } from '../report/monitor/html.ts';
import { renderMonitorText } from '../report/monitor/text.ts';
import { type Command, EXIT } from './command.ts';
import { timeRemark } from './monitor-format.ts';
import { choiceFrom, labelsFrom, PAST_OPTIONS, pastFrom } from './monitor-options.ts';
import { prepareFile, writeText } from './output.ts';

/** `glacis monitor`: what the monitors would have said. */
export const command: Command = {
  usage: 'monitor PAST… [options]',
  about:
    "Lets the monitors of attacks and drift look at past decisions, as if they had come in now. PAST is a server's data folder or the folder of its log (verified as it is read), JSON lines (of glacis log export, or of another server's log), or CSV with a time and what is known of principal, model, label, score and features. Monitors that nothing was measured for learn from the first decisions. Those of accuracy and calibration need --labels: what really was. docs/monitoring.md says what each sees.",
  options: {
    ...PAST_OPTIONS,
    json: { value: 'FILE', help: 'what was found as JSON' },
    report: { value: 'FILE', help: 'what was found as one HTML file' },
    'fail-on': {
      value: 'SEVERITY',
      help: `leave with 1 when an alarm is this grave or graver: ${ALARM_SEVERITIES.join(', ')}`,
    },
  },
  examples: [
    ['glacis monitor ./data --report monitors.html', 'what would have been noticed'],
    [
      'glacis monitor decisions.jsonl --config glacis.yaml --fail-on high',
      'in a pipeline, as the server is set',
    ],
    [
      'glacis monitor upstream.csv --model fraud',
      "another server's log: time, principal, label, score, features",
    ],
    ['glacis monitor access.log --format nginx', 'an access log before a model server'],
    [
      'glacis monitor events.jsonl --format kserve-cloudevents --caller-attribute x-forwarded-user',
      "a payload logger's events, which have inputs and answers, too",
    ],
    [
      'glacis monitor trace.json --format triton-trace --booted 2026-11-01T06:00:00Z',
      "Triton's trace, with trace.json.0 and so on",
    ],
    ['glacis monitor ./data --labels labels.csv', 'with what really was: decision, label, time'],
  ],
  async run({ given, terminal, signal }) {
    const [json, report] = [given.text('json'), given.text('report')];
    const failOn = given.choice('fail-on', ALARM_SEVERITIES);
    for (const path of [json, report]) if (path !== undefined) await prepareFile(path);
    const choice = await choiceFrom(given);
    const analysis = await analysePast(await pastFrom(given), {
      choice,
      model: given.text('model'),
      labels: await labelsFrom(given, signal),
      signal,
      progress: terminal.progress,
    });
    terminal.clear();
    if (json !== undefined) await writeText(json, `${JSON.stringify(analysis, null, 2)}\n`);
    if (report !== undefined) await writeText(report, renderMonitorHtml(analysis));
    terminal.print(renderMonitorText(analysis));
    const remark = timeRemark(given);
    if (remark !== undefined) terminal.say(remark);
    if (report !== undefined) terminal.say(`Report: ${report}`);
    if (json !== undefined) terminal.say(`Result: ${json}`);
    const most = failOn === undefined ? -1 : ALARM_SEVERITIES.indexOf(failOn);
    const grave = analysis.counts.some(({ severity }) => ALARM_SEVERITIES.indexOf(severity) <= most);
    return grave ? EXIT.negative : EXIT.good;
  },
};
