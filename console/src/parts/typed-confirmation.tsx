/** Asks before something is deleted: the word has to be typed. */
import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { type ReactNode, useState } from "react";
import { useText } from "../text/text.tsx";
import { useFirstField } from "./first-field.ts";
import { Problem } from "./problem.tsx";

interface TypedConfirmationProps {
  readonly header: string;
  /** What has to be typed. */
  readonly word: string;
  readonly children: ReactNode;
  readonly onConfirm: () => Promise<void>;
  readonly onDismiss: () => void;
}

export function TypedConfirmation(props: TypedConfirmationProps) {
  const { header, word, children, onConfirm, onDismiss } = props;
  const text = useText();
  const [typed, setTyped] = useState("");
  const form = useFirstField();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error>();
  const isRight = typed === word;

  async function confirm() {
    if (!isRight || busy) return;
    setBusy(true);
    setError(undefined);
    try {
      await onConfirm();
    } catch (problem) {
      setError(problem instanceof Error ? problem : new Error(String(problem)));
    } finally {
      setBusy(false);
    }
  }

  return (
    <Modal
      visible
      header={header}
      closeAriaLabel={text.cancel}
      onDismiss={onDismiss}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onDismiss}>
              {text.cancel}
            </Button>
            <Button variant="primary" disabled={!isRight} loading={busy} onClick={confirm}>
              {text.delete}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <Alert type="warning" statusIconAriaLabel={text.warning}>
          {children}
        </Alert>
        <form
          ref={form}
          onSubmit={(event) => {
            event.preventDefault();
            void confirm();
          }}
        >
          <FormField label={text.typeToConfirm(word)}>
            <Input
              value={typed}
              autoFocus
              autoComplete={false}
              spellcheck={false}
              placeholder={word}
              onChange={({ detail }) => setTyped(detail.value)}
            />
          </FormField>
        </form>
        {error && <Problem error={error} />}
      </SpaceBetween>
    </Modal>
  );
}
