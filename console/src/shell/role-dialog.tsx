/** Assumes a role for the rest of the session, or until it is left. */
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import { useState } from "react";
import { api } from "../api.ts";
import { FormDialog } from "../parts/form-dialog.tsx";
import { useSession } from "../session.ts";
import { useText } from "../text/text.tsx";

export function RoleDialog({ onDismiss }: { onDismiss: () => void }) {
  const text = useText();
  const { session, reload } = useSession();
  const [roleArn, setRoleArn] = useState("");
  const [sessionName, setSessionName] = useState("console");
  return (
    <FormDialog
      header={text.shell.assumeRole}
      submitText={text.shell.assume}
      onDismiss={onDismiss}
      onSubmit={async () => {
        await api.post("session/role", { roleArn: roleArn.trim(), sessionName });
        await reload();
        onDismiss();
      }}
    >
      <FormField label={text.shell.roleArn}>
        <Input
          value={roleArn}
          autoFocus
          spellcheck={false}
          placeholder={`arn:aws:iam::${session.principal.account}:role/…`}
          onChange={({ detail }) => setRoleArn(detail.value)}
        />
      </FormField>
      <FormField label={text.shell.sessionName}>
        <Input value={sessionName} onChange={({ detail }) => setSessionName(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
