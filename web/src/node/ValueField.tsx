import { type I18n, useI18n } from '../i18n';
import { Field, TextArea } from '../ui';
import type { InputFault, InputField } from './inputs';

const faultWords = {
  noKey: 'node.inputs.noKey',
  twice: 'node.inputs.twice',
  hidden: 'node.inputs.hidden',
} as const;

/** Says what is wrong with a field. */
export function faultText(fault: InputFault | undefined, t: I18n['t']): string | undefined {
  if (!fault) return undefined;
  return typeof fault === 'object' ? t('node.inputs.noJson', { wrong: fault.json }) : t(faultWords[fault]);
}

/** Names the value of a key for those who do not see beside which it stands. */
export function ValueLabel({ of }: { of: string }) {
  const { t } = useI18n();
  return <span className="hidden">{t('node.inputs.value', { key: of })}</span>;
}

/** Where a value is edited, as text or JSON. */
export function ValueField({
  field,
  fault,
  onChange,
}: {
  field: InputField;
  fault: InputFault | undefined;
  onChange: (text: string) => void;
}) {
  const { t } = useI18n();
  return (
    <Field label={<ValueLabel of={field.key} />} error={faultText(fault, t)}>
      {(props) => (
        <TextArea
          {...props}
          className="mono"
          rows={Math.min(12, field.text.split('\n').length)}
          value={field.text}
          onChange={(e) => onChange(e.target.value)}
        />
      )}
    </Field>
  );
}
