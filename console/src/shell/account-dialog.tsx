/** Chooses another account's registry. */
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import { useState } from "react";
import { FormDialog } from "../parts/form-dialog.tsx";
import { addresses, useRouter } from "../router.tsx";
import { useText } from "../text/text.tsx";

export function AccountDialog({ onDismiss }: { onDismiss: () => void }) {
  const text = useText();
  const { navigate } = useRouter();
  const [account, setAccount] = useState("");
  const [asked, setAsked] = useState(false);
  const isRight = /^[0-9]{12}$/.test(account);
  return (
    <FormDialog
      header={text.shell.switchAccountTitle}
      submitText={text.shell.show}
      onDismiss={onDismiss}
      onSubmit={async () => {
        setAsked(true);
        if (!isRight) return;
        navigate(`${addresses.repositories()}?account=${account}`);
        onDismiss();
      }}
    >
      <FormField
        label={text.shell.accountId}
        description={text.shell.accountIdHint}
        errorText={asked && !isRight ? text.shell.accountIdHint : ""}
      >
        <Input
          value={account}
          autoFocus
          inputMode="numeric"
          onChange={({ detail }) => setAccount(detail.value.trim())}
        />
      </FormField>
    </FormDialog>
  );
}
