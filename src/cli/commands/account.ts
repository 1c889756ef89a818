/** `portolan account create`: another account of the installation, with its root credentials. */
import { join } from "node:path";
import type { Command } from "commander";
import { ensureRootCredentials } from "../../access/credentials.ts";
import { secretCipher } from "../../access/installation-key.ts";
import { ensureFirstTemplates } from "../../registry/creation-templates.ts";
import { accountPattern } from "../../runtime/configuration-values.ts";
import { readInstallationFiles } from "../../runtime/installation-files.ts";
import { readInstallationKey } from "../../runtime/secret-files.ts";
import { type CommandContext, CommandError } from "../command-context.ts";
import { addConfigurationOptions, readConfiguration } from "../configuration-options.ts";
import { type OpenStores, withStores } from "../stores.ts";

export function addAccountCommand(
  program: Command,
  context: CommandContext,
  open: OpenStores,
): void {
  const account = program.command("account").description("the accounts of an installation");
  const create = account
    .command("create")
    .description("make an account and print its root credentials, this once")
    .argument("<id>", "the account's id, twelve digits")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
It works beside a running server, which knows the account at once and tells the other regions of
the chart. An account that has root credentials keeps them, and the command fails.

Example:
  $ portolan account create 444455556666 --json --config chart/us-east-1/portolan.yaml`,
    );
  addConfigurationOptions(create).action(
    async (id: string, options: { readonly json?: true } & Record<string, unknown>) => {
      if (!accountPattern.test(id)) {
        throw new CommandError(`${id}: an account id has twelve digits`, 2);
      }
      const { configuration } = await readConfiguration(options, context);
      const { files } = await readInstallationFiles(configuration);
      await withStores(configuration, context, open, async (registry) => {
        const installationKey =
          files.installationKey ??
          (await readInstallationKey(join(configuration.data, "installation-key")));
        const { accessKeyId, generatedSecretAccessKey: secretAccessKey } =
          await ensureRootCredentials({
            registry,
            cipher: secretCipher(installationKey, context.random),
            account: id,
          });
        if (secretAccessKey === undefined) {
          throw new CommandError(`the account ${id} is there already, with the key ${accessKeyId}`);
        }
        await ensureFirstTemplates(registry, {
          account: id,
          templates: configuration.registry.creationTemplates,
        });
        context.stdout(
          options.json
            ? `${JSON.stringify({ account: id, accessKeyId, secretAccessKey })}\n`
            : `Root credentials of account ${id}, shown only this once:\n  access key id      ${accessKeyId}\n  secret access key  ${secretAccessKey}\n`,
        );
      });
    },
  );
}
