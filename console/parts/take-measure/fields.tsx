import type { Overview, PolicyView } from '../../../src/gateway/console/api.ts';
import { MEASURES, type Measure } from '../../../src/incident/order.ts';
import { useQuery } from '../../data/query.ts';
import { useMay } from '../../data/session.ts';
import { Line, Select } from '../field.tsx';
import { CONSEQUENCES } from '../measure-words.tsx';
import { Segments } from '../segments.tsx';
import { type Draft, NEEDS, WHO } from './draft.ts';

const MEASURE_TITLES: Readonly<Record<Measure, string>> = {
  throttle: 'Throttle: fewer requests a minute',
  degrade: 'Degrade answers: they tell less',
  quarantine: 'Quarantine: no answers',
  guard: 'Raise a guard: a stricter threshold',
  verify: 'Switch: the verifying model answers',
  pause: 'Pause a model: it answers nothing',
  rollback: 'Roll back: the version before answers',
  freeze: 'Freeze: nothing is promoted',
};

const WHO_TITLES: Readonly<Record<(typeof WHO)[number], string>> = {
  principal: 'a client',
  tenant: 'a tenant',
  credential: 'a key',
  address: 'an address',
};

const NAME_NOTES: Readonly<Record<(typeof WHO)[number], string>> = {
  principal: 'its name, as in Traffic',
  tenant: 'its name, as in Traffic',
  credential: 'its id, as in People & keys',
  address: 'IPv4 or IPv6; of IPv6 the first 64 bits count',
};

const HOURS = [
  ['1', 'an hour'],
  ['8', '8 hours'],
  ['24', 'a day'],
  ['168', 'a week'],
  ['', 'when somebody lifts it'],
] as const;

/** Everything that a measure says, as fields; only those that the chosen one has. */
export function DraftFields({
  draft,
  fixedCase,
  onChange,
}: {
  readonly draft: Draft;
  /** The case that it belongs to, where that is not to be chosen. */
  readonly fixedCase: string | undefined;
  readonly onChange: (draft: Draft) => void;
}) {
  const { data } = useQuery<Overview>('/api/overview', { lasting: true });
  const set = (changes: Partial<Draft>): void => onChange({ ...draft, ...changes });
  const needs = NEEDS[draft.measure];
  const models = [...new Set([...(data?.models.map(({ model }) => model) ?? []), draft.model])].filter(
    (each) => each !== '',
  );
  return (
    <>
      <Select
        stacked
        label="Measure"
        value={draft.measure}
        options={MEASURES.map((each) => [each, MEASURE_TITLES[each]] as const)}
        onChange={(next) => {
          const measure = next as Measure;
          const isNobody = NEEDS[measure].who === 'must' && draft.who === 'everybody';
          set({ measure, ...(isNobody && { who: 'principal' as const }) });
        }}
      />
      <p class="muted small">{CONSEQUENCES[draft.measure]}</p>
      {needs.who !== 'never' && (
        <div class="columns tight">
          <Select
            stacked
            label="For"
            value={draft.who}
            options={[
              ...WHO.map((each) => [each, WHO_TITLES[each]] as const),
              ...(needs.who === 'may' ? [['everybody', 'everybody'] as const] : []),
            ]}
            onChange={(next) => set({ who: next as Draft['who'] })}
          />
          {draft.who !== 'everybody' && (
            <Line
              label="Who"
              note={NAME_NOTES[draft.who]}
              value={draft.name}
              most={256}
              onInput={(name) => set({ name })}
            />
          )}
        </div>
      )}
      {needs.model !== 'never' && (
        <Select
          stacked
          label="Model"
          value={draft.model}
          options={[
            ['', needs.model === 'must' ? 'choose one' : 'every model'] as const,
            ...models.map((each) => [each, each] as const),
          ]}
          onChange={(model) => set({ model, guard: '' })}
        />
      )}
      {draft.measure === 'throttle' && (
        <Line
          label="Requests a minute"
          note="as many may come at once, then evenly"
          value={draft.perMinute}
          most={8}
          onInput={(perMinute) => set({ perMinute })}
        />
      )}
      {draft.measure === 'degrade' && (
        <Segments
          label="Answers tell at most"
          value={draft.detail}
          options={[
            { value: 'label', title: 'The class alone' },
            { value: 'scores', title: 'Scores' },
          ]}
          onChange={(detail) => set({ detail })}
        />
      )}
      {draft.measure === 'guard' && <GuardFields draft={draft} set={set} />}
      <label class="field">
        <span>
          Why <span class="muted light">it goes into the log</span>
        </span>
        <textarea
          rows={2}
          maxLength={1000}
          value={draft.because}
          onInput={(event) => set({ because: event.currentTarget.value })}
        />
      </label>
      <div class="columns tight">
        <Select
          stacked
          label="It ends after"
          value={draft.hours}
          options={HOURS}
          onChange={(hours) => set({ hours })}
        />
        {fixedCase === undefined && (
          <Select
            stacked
            label="It belongs to"
            value={draft.case}
            options={[
              ['', 'no case'] as const,
              ...(data?.cases ?? []).map(({ id, title }) => [id, `${id}: ${title.slice(0, 48)}`] as const),
            ]}
            onChange={(of) => set({ case: of })}
          />
        )}
      </div>
    </>
  );
}

function GuardFields({
  draft,
  set,
}: {
  readonly draft: Draft;
  readonly set: (changes: Partial<Draft>) => void;
}) {
  const mayRead = useMay('policy.read');
  const { data } = useQuery<PolicyView>(mayRead ? '/api/policy' : undefined, { lasting: true });
  const guards = data?.guards
    .filter(({ model, isOn }) => isOn && model === draft.model)
    .map(({ guard }) => guard);
  return (
    <>
      {guards === undefined || guards.length === 0 ? (
        <Line
          label="Guard"
          note="its name, as in Policy"
          value={draft.guard}
          most={60}
          onInput={(guard) => set({ guard })}
        />
      ) : (
        <Select
          stacked
          label="Guard"
          value={draft.guard}
          options={[['', 'choose one'] as const, ...guards.map((each) => [each, each] as const)]}
          onChange={(guard) => set({ guard })}
        />
      )}
      <div class="columns tight">
        <Select
          stacked
          label="Its threshold is"
          value={draft.times}
          options={[
            ['1', 'what it is'],
            ['1.25', 'a quarter stricter'],
            ['2', 'twice as strict'],
            ['4', 'four times as strict'],
          ]}
          onChange={(times) => set({ times })}
        />
        <Select
          stacked
          label="An alarm of it"
          value={draft.action}
          options={[
            ['', 'does what it does now'],
            ['flag', 'is noted, at least'],
            ['degrade', 'leaves the class alone, at least'],
            ['refuse', 'refuses the request'],
          ]}
          onChange={(action) => set({ action: action as Draft['action'] })}
        />
      </div>
    </>
  );
}
