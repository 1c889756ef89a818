/** Creates a repository with ECR's own operation. */
import Checkbox from "@cloudscape-design/components/checkbox";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import { useState } from "react";
import { ecr } from "../../api.ts";
import { FormDialog } from "../../parts/form-dialog.tsx";
import { useText } from "../../text/text.tsx";

interface CreateRepositoryDialogProps {
  readonly account: string;
  readonly onCreated: (name: string) => void;
  readonly onDismiss: () => void;
}

export function CreateRepositoryDialog(props: CreateRepositoryDialogProps) {
  const { account, onCreated, onDismiss } = props;
  const text = useText();
  const [name, setName] = useState("");
  const [immutable, setImmutable] = useState(false);
  return (
    <FormDialog
      header={text.repositories.createTitle}
      submitText={text.create}
      onDismiss={onDismiss}
      onSubmit={async () => {
        await ecr("CreateRepository", {
          registryId: account,
          repositoryName: name,
          imageTagMutability: immutable ? "IMMUTABLE" : "MUTABLE",
        });
        onCreated(name);
      }}
    >
      <FormField label={text.repositories.name} description={text.repositories.nameHint}>
        <Input
          value={name}
          autoFocus
          autoComplete={false}
          spellcheck={false}
          onChange={({ detail }) => setName(detail.value.trim())}
        />
      </FormField>
      <Checkbox
        checked={immutable}
        description={text.repositories.immutableHint}
        onChange={({ detail }) => setImmutable(detail.checked)}
      >
        {text.repositories.immutable}
      </Checkbox>
    </FormDialog>
  );
}
