/** Theme, density and language; a choice counts at once. */
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Modal from "@cloudscape-design/components/modal";
import SegmentedControl from "@cloudscape-design/components/segmented-control";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { type Density, type Theme, usePreferences } from "../preferences.tsx";
import { type Language, languageNames, languages, useText } from "../text/text.tsx";

function Choice<Value extends string>(props: {
  label: string;
  value: Value;
  names: Readonly<Record<Value, string>>;
  values: readonly Value[];
  onChange: (value: Value) => void;
}) {
  const { label, value, names, values, onChange } = props;
  return (
    <FormField label={label}>
      <SegmentedControl
        label={label}
        selectedId={value}
        options={values.map((id) => ({ id, text: names[id] }))}
        onChange={({ detail }) => {
          const chosen = values.find((each) => each === detail.selectedId);
          if (chosen !== undefined) onChange(chosen);
        }}
      />
    </FormField>
  );
}

const themes: readonly Theme[] = ["system", "light", "dark"];
const densities: readonly Density[] = ["comfortable", "compact"];

export function PreferencesDialog({ onDismiss }: { onDismiss: () => void }) {
  const text = useText();
  const { theme, density, language, set } = usePreferences();
  return (
    <Modal
      visible
      header={text.preferences.title}
      closeAriaLabel={text.preferences.done}
      onDismiss={onDismiss}
      footer={
        <Box float="right">
          <Button variant="primary" onClick={onDismiss}>
            {text.preferences.done}
          </Button>
        </Box>
      }
    >
      <SpaceBetween size="l">
        <Choice
          label={text.preferences.theme}
          value={theme}
          names={text.preferences.themes}
          values={themes}
          onChange={(value) => set({ theme: value })}
        />
        <Choice
          label={text.preferences.density}
          value={density}
          names={text.preferences.densities}
          values={densities}
          onChange={(value) => set({ density: value })}
        />
        <Choice<Language>
          label={text.preferences.language}
          value={language}
          names={languageNames}
          values={languages}
          onChange={(value) => set({ language: value })}
        />
      </SpaceBetween>
    </Modal>
  );
}
