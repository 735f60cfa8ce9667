import type { LabAttackInfo, LabModelInfo } from '../../../src/gateway/console/api.ts';
import { Segments } from '../../parts/segments.tsx';
import { epsRange, epsWords, KNOWLEDGE, NORM_WORDS } from './words.ts';

/** What is tried: everything but the input. */
export interface Setting {
  readonly attack: string;
  readonly norm: string;
  readonly eps: number;
  readonly integrated: boolean;
}

const ORDER = ['gradient', 'scores', 'labels', 'nothing'] as const;

/** Attack, how far it may go, and how its reasons are shown. */
export function Controls({
  attacks,
  model,
  setting,
  onChange,
}: {
  readonly attacks: readonly LabAttackInfo[];
  readonly model: LabModelInfo;
  readonly setting: Setting;
  readonly onChange: (next: Setting) => void;
}) {
  const attack = attacks.find(({ id }) => id === setting.attack) ?? attacks[0]!;
  const usable = attacks.filter(({ blackBox }) => model.whiteBox || blackBox);
  const groups = ORDER.filter((needs) => usable.some((each) => each.needs === needs));
  const choose = (id: string): void => {
    const next = attacks.find((each) => each.id === id)!;
    onChange(settingFor(next, model, setting));
  };
  return (
    <div class="lab-controls">
      <Segments
        label="What the attacker knows"
        value={attack.needs}
        options={groups.map((needs) => ({ value: needs, title: KNOWLEDGE[needs].short }))}
        onChange={(needs) => choose(usable.find((each) => each.needs === needs)!.id)}
      />
      <label class="group">
        <span class="label">Attack</span>
        <select value={attack.id} onChange={(event) => choose(event.currentTarget.value)}>
          {groups.map((needs) => (
            <optgroup key={needs} label={KNOWLEDGE[needs].title}>
              {usable
                .filter((each) => each.needs === needs)
                .map(({ id, title }) => (
                  <option key={id} value={id}>
                    {title}
                  </option>
                ))}
            </optgroup>
          ))}
        </select>
      </label>
      <p class="muted about">{attack.about}</p>
      {attack.seeks === 'other' ? (
        <p class="muted about">It may be {attack.size}. There is no eps: this is no noise.</p>
      ) : (
        <Ball attack={attack} model={model} setting={setting} onChange={onChange} />
      )}
      {model.whiteBox && (
        <label class="tick">
          <input
            type="checkbox"
            checked={setting.integrated}
            onChange={(event) => onChange({ ...setting, integrated: event.currentTarget.checked })}
          />
          <span>Reasons by integrated gradients (slower, more faithful)</span>
        </label>
      )}
    </div>
  );
}

function Ball({
  attack,
  model,
  setting,
  onChange,
}: {
  readonly attack: LabAttackInfo;
  readonly model: LabModelInfo;
  readonly setting: Setting;
  readonly onChange: (next: Setting) => void;
}) {
  const { norm, eps } = setting;
  const width = widthOf(model);
  const { least, most, step } = epsRange(norm, width, sizeOf(model));
  return (
    <>
      {attack.norms.length > 1 && (
        <Segments
          label="What counts as change"
          value={norm}
          options={attack.norms.map((each) => ({
            value: each,
            title: NORM_WORDS[each]?.title ?? each,
            about: NORM_WORDS[each]?.about,
          }))}
          onChange={(each) =>
            onChange({ ...setting, norm: each, eps: epsRange(each, width, sizeOf(model)).usual })
          }
        />
      )}
      <label class="group">
        <span class="label">
          How far it may go: <b>{epsWords(norm, eps, width)}</b>
        </span>
        <input
          type="range"
          min={least}
          max={most}
          step={step}
          value={eps}
          aria-valuetext={epsWords(norm, eps, width)}
          onInput={(event) => onChange({ ...setting, eps: Number(event.currentTarget.value) })}
        />
      </label>
      <p class="muted about">
        {NORM_WORDS[norm]?.about}
        {attack.seeks === 'minimum' &&
          ' This attack looks for the nearest example and says whether it lies within.'}
      </p>
    </>
  );
}

/** The setting for another attack: norm and eps are kept where they mean something to it. */
export function settingFor(attack: LabAttackInfo, model: LabModelInfo, before: Setting | undefined): Setting {
  const integrated = before?.integrated ?? false;
  if (attack.norms.length === 0)
    return { attack: attack.id, norm: before?.norm ?? 'linf', eps: before?.eps ?? 0, integrated };
  if (before !== undefined && attack.norms.includes(before.norm)) return { ...before, attack: attack.id };
  const norm = attack.norms[0]!;
  return { attack: attack.id, norm, eps: epsRange(norm, widthOf(model), sizeOf(model)).usual, integrated };
}

/** How wide the range of an input is. */
export function widthOf({ range: [low, high] }: LabModelInfo): number {
  return high - low;
}

function sizeOf({ sampleDims }: LabModelInfo): number {
  return sampleDims.reduce((product, size) => product * size, 1);
}
