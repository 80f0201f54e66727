import { useI18n } from '../i18n';
import { Field, Select, TextArea, TextInput } from '../ui';
import type { FormField } from './form';

const inputTypes = { text: 'text', int: 'text', password: 'password', date: 'date', time: 'time' } as const;

/** One constant, filled in as its kind says. */
export function Input({
  field,
  value,
  error,
  onChange,
}: {
  field: FormField;
  value: string;
  error: string | undefined;
  onChange: (value: string) => void;
}) {
  const { t } = useI18n();
  const changed = value !== field.initial;
  const label = (
    <>
      {field.label} <code className="start-key">{field.key}</code>
      {changed && (
        <button type="button" className="start-reset" onClick={() => onChange(field.initial)}>
          {t('start.reset')}
        </button>
      )}
    </>
  );
  return (
    <Field label={label} hint={field.description || undefined} error={error}>
      {(props) => {
        switch (field.control) {
          case 'area':
          case 'json':
            return (
              <TextArea
                {...props}
                className={field.control === 'json' ? 'mono' : undefined}
                rows={Math.min(12, Math.max(3, value.split('\n').length))}
                value={value}
                onChange={(e) => onChange(e.target.value)}
              />
            );
          case 'choice':
            return (
              <Select {...props} value={value} onChange={(e) => onChange(e.target.value)}>
                {!field.options.some((o) => o.value === value) && <option value={value}>{value}</option>}
                {field.options.map((o) => (
                  <option key={o.value} value={o.value}>
                    {o.text}
                  </option>
                ))}
              </Select>
            );
          case 'choices':
            return (
              <Select
                {...props}
                multiple
                size={Math.min(8, field.options.length)}
                value={value === '' ? [] : value.split(',')}
                onChange={(e) => onChange([...e.target.selectedOptions].map((o) => o.value).join(','))}
              >
                {field.options.map((o) => (
                  <option key={o.value} value={o.value}>
                    {o.text}
                  </option>
                ))}
              </Select>
            );
          case 'datetime':
            return (
              <TextInput
                {...props}
                type="datetime-local"
                step={1}
                value={value.replace(' ', 'T')}
                onChange={(e) => onChange(seconds(e.target.value.replace('T', ' ')))}
              />
            );
          default:
            return (
              <TextInput
                {...props}
                type={inputTypes[field.control]}
                inputMode={field.control === 'int' ? 'numeric' : undefined}
                autoComplete={field.control === 'password' ? 'new-password' : 'off'}
                step={field.control === 'time' ? 1 : undefined}
                value={value}
                onChange={(e) => onChange(e.target.value)}
              />
            );
        }
      }}
    </Field>
  );
}

// Browsers leave seconds out that are zero.
function seconds(moment: string): string {
  return /\d\d:\d\d$/.test(moment) && !/:\d\d:\d\d$/.test(moment) ? `${moment}:00` : moment;
}
