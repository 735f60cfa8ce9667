/** A choice among two to four, all of them seen. */
export function Segments<Value extends string>({
  label,
  value,
  options,
  onChange,
}: {
  readonly label: string;
  readonly value: Value;
  readonly options: readonly {
    readonly value: Value;
    readonly title: string;
    readonly about?: string | undefined;
  }[];
  readonly onChange: (value: Value) => void;
}) {
  return (
    <fieldset class="segments-field">
      <legend>{label}</legend>
      <div class="segments">
        {options.map(({ value: each, title, about }) => (
          <button
            key={each}
            type="button"
            aria-pressed={each === value}
            title={about}
            onClick={() => onChange(each)}
          >
            {title}
          </button>
        ))}
      </div>
    </fieldset>
  );
}
