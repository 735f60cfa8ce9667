import { useState } from 'preact/hooks';
import type { KeyRow, RolesView } from '../../../src/gateway/console/api.ts';
import { tell } from '../../data/ask.ts';
import { touch, useQuery } from '../../data/query.ts';
import { useMay } from '../../data/session.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Line, Select } from '../../parts/field.tsx';
import { titled } from '../../parts/format.ts';
import { failed } from '../../shell/toast.tsx';

const DETAILS = [
  ['label', 'the class alone'],
  ['topk', 'the likeliest classes with scores'],
  ['scores', 'all classes with scores'],
  ['logits', 'the model’s outputs as they are'],
] as const;
const OPERATIONS = ['infer', 'metadata', 'ready'] as const;
const LIVES = [
  ['7', 'a week'],
  ['30', '30 days'],
  ['90', '90 days'],
  ['365', 'a year'],
  ['', 'as the configuration says'],
] as const;

/** Asks what a new key is for, and makes it. */
export function NewKey({
  principal: given = '',
  onMade,
  onClose,
}: {
  readonly principal?: string;
  readonly onMade: (made: { readonly text: string; readonly principal: string }) => void;
  readonly onClose: () => void;
}) {
  const mayGrant = useMay('roles.grant');
  const { data } = useQuery<RolesView>(mayGrant ? '/api/roles' : undefined);
  const [wish, setWish] = useState({
    ...{ principal: given, tenant: '', name: '', models: '*', detail: 'scores', days: '90' },
    operations: [...OPERATIONS] as string[],
    roles: [] as string[],
  });
  const [busy, setBusy] = useState(false);
  const set = (changes: Partial<typeof wish>): void => setWish({ ...wish, ...changes });
  const isReady = wish.principal.trim() !== '' && wish.tenant.trim() !== '' && wish.operations.length > 0;
  const make = async (): Promise<void> => {
    setBusy(true);
    try {
      const { principal, tenant, name, models, detail, days, operations, roles } = wish;
      const made = await tell<KeyRow & { readonly key: string }>('/api/keys', {
        ...{ principal: principal.trim(), tenant: tenant.trim(), detail, operations },
        models: models
          .split(',')
          .map((each) => each.trim())
          .filter((each) => each !== ''),
        ...(name.trim() !== '' && { name: name.trim() }),
        ...(days !== '' && { days: Number(days) }),
        ...(roles.length > 0 && { roles }),
      });
      touch('/api/keys', '/api/principals');
      onMade({ text: made.key, principal: made.principal });
    } catch (thrown) {
      failed(thrown);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title="A new key" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady && !busy) void make();
        }}
      >
        <div class="columns tight">
          <Line
            label="Caller"
            note="budgets and the log count by it"
            value={wish.principal}
            onInput={(principal) => set({ principal })}
          />
          <Line
            label="Tenant"
            note="its team or customer"
            value={wish.tenant}
            onInput={(tenant) => set({ tenant })}
          />
        </div>
        <Line label="Name" note="for you, optional" value={wish.name} onInput={(name) => set({ name })} />
        <Line
          label="Models"
          note="names with commas; * is all"
          value={wish.models}
          onInput={(models) => set({ models })}
        />
        <div class="columns tight">
          <Select
            stacked
            label="At most it is told"
            value={wish.detail}
            options={DETAILS}
            onChange={(detail) => set({ detail })}
          />
          <Select
            stacked
            label="It ends after"
            value={wish.days}
            options={LIVES}
            onChange={(days) => set({ days })}
          />
        </div>
        <Ticks
          label="It may"
          all={OPERATIONS}
          chosen={wish.operations}
          onChange={(operations) => set({ operations })}
        />
        {mayGrant && (
          <Ticks
            label="Roles on the management side (none for a program that asks models)"
            all={data?.roles ?? []}
            chosen={wish.roles}
            onChange={(roles) => set({ roles })}
          />
        )}
        <div class="actions end">
          <Button onPress={onClose}>Cancel</Button>
          <button type="submit" class="button main" disabled={!isReady || busy}>
            Make the key
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function Ticks({
  label,
  all,
  chosen,
  onChange,
}: {
  readonly label: string;
  readonly all: readonly string[];
  readonly chosen: readonly string[];
  readonly onChange: (chosen: string[]) => void;
}) {
  return (
    <fieldset class="ticks">
      <legend>{label}</legend>
      {all.map((each) => (
        <label class="tick" key={each}>
          <input
            type="checkbox"
            checked={chosen.includes(each)}
            onChange={(event) =>
              onChange(
                event.currentTarget.checked ? [...chosen, each] : chosen.filter((other) => other !== each),
              )
            }
          />
          <span>{titled(each)}</span>
        </label>
      ))}
    </fieldset>
  );
}
