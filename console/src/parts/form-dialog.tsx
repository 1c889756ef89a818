/** A dialog with a form: Enter submits, what goes wrong is told in it. */
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Form from "@cloudscape-design/components/form";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { type ReactNode, useState } from "react";
import { useText } from "../text/text.tsx";
import { useFirstField } from "./first-field.ts";
import { Problem } from "./problem.tsx";

interface FormDialogProps {
  readonly header: string;
  readonly submitText: string;
  readonly children: ReactNode;
  /** Rejects with what is told in the dialog; whoever opened it closes it after success. */
  readonly onSubmit: () => Promise<void>;
  readonly onDismiss: () => void;
}

export function FormDialog(props: FormDialogProps) {
  const { header, submitText, children, onSubmit, onDismiss } = props;
  const text = useText();
  const form = useFirstField();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error>();

  async function submit() {
    if (busy) return;
    setBusy(true);
    setError(undefined);
    try {
      await onSubmit();
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
            <Button variant="primary" loading={busy} onClick={submit}>
              {submitText}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <form
        ref={form}
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <Form>
          <SpaceBetween size="l">
            {children}
            {error && <Problem error={error} />}
          </SpaceBetween>
        </Form>
      </form>
    </Modal>
  );
}
