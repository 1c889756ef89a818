/**
 * The destination's consent. An account replicates to itself in every region; to another account's
 * registry only as that registry's policies allow. They may also forbid it to the account itself.
 */
import type { ReplicationConsent, ReplicationRequest } from "../access/replication-consent.ts";
import { selectRepository } from "../metadata/queries/repositories.ts";
import type { RegistryContext } from "../registry/context.ts";
import { templateFor } from "../registry/creation-templates.ts";
import { ReplicationFailure } from "./failure.ts";
import type { Offer } from "./offer.ts";

export interface ConsentPorts {
  readonly context: Pick<RegistryContext, "metadata">;
  readonly knowsAccount: (account: string) => Promise<boolean>;
  readonly consent: ReplicationConsent;
}

type Target = Pick<Offer, "sourceAccount" | "account" | "repository">;

/**
 * To another account, one that does not exist and one that does not allow it answer alike.
 * @throws ReplicationFailure `destination_forbidden`, `account_unknown`
 */
export async function requireReplication(
  { consent, knowsAccount }: ConsentPorts,
  region: string,
  offer: Target,
): Promise<void> {
  const decision = await consent(requestOf(region, offer), "ReplicateImage");
  if (!decision.allowed) throw new ReplicationFailure("destination_forbidden", decision.message);
  if (await knowsAccount(offer.account)) return;
  throw new ReplicationFailure("account_unknown", `there is no account ${offer.account}`);
}

/**
 * @returns whether the repository is missing and may be created
 * @throws ReplicationFailure `repository_creation_forbidden`, `creation_template_failed`
 */
export async function requireCreation(
  { context, consent }: ConsentPorts,
  region: string,
  offer: Target,
): Promise<boolean> {
  const { account, repository } = offer;
  const { read } = context.metadata;
  if ((await selectRepository(read, account, repository)) !== undefined) return false;
  const request = requestOf(region, offer);
  const creation = await consent(request, "CreateRepository");
  if (!creation.allowed) {
    throw new ReplicationFailure("repository_creation_forbidden", creation.message);
  }
  const template = await templateFor(read, { account, repository }, "REPLICATION");
  if (Object.keys(template?.resourceTags ?? {}).length === 0) return true;
  const tagging = await consent(request, "TagResource");
  if (tagging.allowed) return true;
  throw new ReplicationFailure("creation_template_failed", tagging.message);
}

function requestOf(region: string, { sourceAccount, account, repository }: Target) {
  const source = { region, account: sourceAccount };
  return { source, account, repository } satisfies ReplicationRequest;
}
