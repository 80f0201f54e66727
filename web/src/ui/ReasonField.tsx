import type { ComponentProps } from 'react';
import { useI18n } from '../i18n';
import { Field, TextInput } from './Field';

/** The most characters that the server keeps of a reason. */
const longestReason = 1000;

/** Where the reason is written that is kept with what is done. */
export function ReasonField({
  onChange,
  ...props
}: Omit<ComponentProps<'input'>, 'onChange'> & { value: string; onChange: (reason: string) => void }) {
  const { t } = useI18n();
  return (
    <Field label={t('ui.reason')} hint={t('ui.reason.hint')}>
      {(field) => (
        <TextInput {...field} {...props} maxLength={longestReason} onChange={(e) => onChange(e.target.value)} />
      )}
    </Field>
  );
}
