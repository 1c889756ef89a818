/** `portolan access explain`: what would be decided, and by which statements. */
import type { Command } from "commander";
import { type Permission, type RequestFacts, repositoryArn } from "../../access/access.ts";
import { noAudit } from "../../access/audit.ts";
import { noAuthentication } from "../../access/basic-authentication.ts";
import { type Explanation, explain } from "../../access/explain.ts";
import { documentIdentities } from "../../access/identities/document-identities.ts";
import { namedPrincipal } from "../../access/identities/named-principal.ts";
import { policyAccess } from "../../access/policy-access.ts";
import { documentResourceSource } from "../../access/policy-documents.ts";
import { isRepositoryName } from "../../image/reference.ts";
import type { RegistryContext } from "../../registry/context.ts";
import type { Configuration } from "../../runtime/configuration-entries.ts";
import { type CommandContext, CommandError } from "../command-context.ts";
import { addConfigurationOptions, readConfiguration } from "../configuration-options.ts";
import { explanationText } from "../explanation-text.ts";
import { type OpenStores, withStores } from "../stores.ts";

interface ExplainOptions {
  readonly principal: string;
  readonly action: string;
  readonly resource: string;
  readonly context?: Readonly<Record<string, readonly string[]>>;
  readonly json?: true;
}

export function addAccessCommand(program: Command, context: CommandContext, open: OpenStores) {
  const access = program.command("access").description("who may do what");
  const command = access
    .command("explain")
    .description("tell what would be decided, and by which statements; exit code 1 when denied")
    .requiredOption("--principal <arn>", "a user, a role, a session, or an account's root")
    .requiredOption("--action <name>", "such as ecr:BatchGetImage")
    .requiredOption("--resource <arn>", "an ARN, a repository of the principal's account, or *")
    .option(
      "--context <key=value>",
      "a condition key of the request, such as aws:SourceIp=192.0.2.1; may be repeated, for several keys and for several values of one",
      collectContext,
      {},
    )
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
It reads the policies as they are now and asks nobody: the audit does not know of it. Keys that
only a request has are absent unless --context gives them; aws:SourceIp is 127.0.0.1.

Examples:
  May she push, and why?
    $ portolan access explain --principal arn:aws:iam::111122223333:user/jo \\
        --action ecr:PutImage --resource prod-web
  May another account's role pull, from this address?
    $ portolan access explain --principal arn:aws:iam::444455556666:role/deployer \\
        --action ecr:BatchGetImage \\
        --resource arn:aws:ecr:us-east-1:111122223333:repository/prod-web \\
        --context aws:SourceIp=203.0.113.7`,
    );
  addConfigurationOptions(command).action(
    async (options: ExplainOptions & Record<string, unknown>) => {
      const { configuration } = await readConfiguration(options, context);
      await withStores(configuration, context, open, async (registry) => {
        const explanation = await explainCall(registry, configuration, options, context);
        context.stdout(
          options.json ? `${JSON.stringify(explanation, null, 2)}\n` : explanationText(explanation),
        );
        if (explanation.decision === "denied") context.setExitCode(1);
      });
    },
  );
}

function collectContext(
  pair: string,
  previous: Readonly<Record<string, readonly string[]>>,
): Readonly<Record<string, readonly string[]>> {
  const equals = pair.indexOf("=");
  const key = pair.slice(0, equals).toLowerCase();
  if (equals < 1 || !key.includes(":")) {
    throw new CommandError(
      `--context ${pair}: expected key=value, such as aws:SourceIp=192.0.2.1`,
      2,
    );
  }
  return { ...previous, [key]: [...(previous[key] ?? []), pair.slice(equals + 1)] };
}

async function explainCall(
  registry: RegistryContext,
  configuration: Configuration,
  options: ExplainOptions,
  { clock }: CommandContext,
): Promise<Explanation> {
  const { metadata, region } = registry;
  const now = clock.now();
  if (!/^[a-z0-9-]+:[A-Za-z]+$/.test(options.action)) {
    throw new CommandError(`${options.action}: expected an action such as ecr:BatchGetImage`, 2);
  }
  const principal = await namedPrincipal(metadata.read, options.principal, now);
  if (principal === undefined) {
    throw new CommandError(`there is no user and no role ${options.principal}`);
  }
  const access = policyAccess({
    authenticateBasic: noAuthentication,
    source: { ...documentResourceSource(metadata), ...documentIdentities(metadata.read) },
    audit: noAudit,
    clock,
    region,
    organization: configuration.access.organization,
  });
  const permission: Permission = {
    action: options.action,
    resource: resourceArn(options.resource, region, principal.account),
  };
  const input = await access.explainable({ principal, request: unknownRequest(now) }, permission);
  const given = options.context ?? {};
  const values = (key: string) => {
    const list = given[key];
    return list === undefined ? input.values(key) : list.length === 1 ? list[0] : list;
  };
  return explain({ ...input, values });
}

function resourceArn(text: string, region: string, account: string): string {
  if (text === "*" || text.startsWith("arn:")) return text;
  if (isRepositoryName(text)) return repositoryArn(region, account, text);
  throw new CommandError(`${text}: expected an ARN, the name of a repository, or *`, 2);
}

/** What a client on this machine would send. */
function unknownRequest(now: number): RequestFacts {
  return {
    requestId: "explained",
    time: now,
    sourceAddress: "127.0.0.1",
    secure: true,
    userAgent: null,
    referer: null,
  };
}
