/** What to type to push the first image. */
import FormField from "@cloudscape-design/components/form-field";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { Command } from "../../parts/command.tsx";
import { registryHost } from "../../parts/registry-host.ts";
import { useSession } from "../../session.ts";
import { useText } from "../../text/text.tsx";

export function PushCommands({ account, repository }: { account: string; repository: string }) {
  const text = useText();
  const { region } = useSession().session;
  const host = registryHost(account);
  const name = `${host}/${repository}:latest`;
  const endpoint = window.location.origin;
  const login = `aws ecr get-login-password --region ${region} --endpoint-url ${endpoint} | docker login -u AWS --password-stdin ${host}`;
  const commands = [
    [text.images.login, login],
    [text.images.tagIt, `docker tag IMAGE ${name}`],
    [text.images.push, `docker push ${name}`],
  ] as const;
  return (
    <SpaceBetween size="s">
      {commands.map(([label, command]) => (
        <FormField key={label} label={label} stretch>
          <Command label={label} command={command} />
        </FormField>
      ))}
    </SpaceBetween>
  );
}
