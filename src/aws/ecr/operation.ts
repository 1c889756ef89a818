/** Defines an operation of Amazon ECR, with what they have in common. */
import type * as v from "valibot";
import { type Permission, repositoryArn } from "../../access/access.ts";
import type { Puller } from "../../pull-through/pull-through.ts";
import type { RepositoryAddress } from "../../registry/context.ts";
import type { Actor } from "../../registry/create-repository.ts";
import {
  type Call,
  defineOperation,
  type Operation,
  type OperationDefinition,
} from "../operation.ts";
import type { EcrContext } from "./service.ts";

export type EcrCall = Call<EcrContext>;

export function operation<Schema extends v.GenericSchema>(
  definition: OperationDefinition<EcrContext, Schema>,
): Operation<EcrContext> {
  return defineOperation(definition);
}

/** The account whose registry is meant: the caller's own unless it names another. */
export function accountOf(call: EcrCall, input: { registryId: string | undefined }): string {
  return input.registryId ?? call.principal.account;
}

export function repositoryResource(
  call: EcrCall,
  input: { registryId: string | undefined; repositoryName: string },
): string {
  const { region } = call.service.registry;
  return repositoryArn(region, accountOf(call, input), input.repositoryName);
}

/**
 * Scheme and host of an account's registry. Without a configured one it is derived from where the
 * request came to: `api.ecr.…` becomes `<account>.dkr.ecr.…`, and a host that carries no account,
 * such as `127.0.0.1:5001`, serves the API and the registry alike.
 */
export function registryEndpoint(call: EcrCall, account: string): string {
  const configured = call.service.registryEndpoint;
  if (configured !== undefined) return configured.replaceAll("{account}", account);
  const host = call.host.replace(/^api\.ecr\./i, `${account}.dkr.ecr.`);
  return `${call.request.secure ? "https" : "http"}://${host}`;
}

/** What stands in front of a repository's name: the endpoint without its scheme. */
export function repositoryUri(call: EcrCall, account: string, repository: string): string {
  const host = registryEndpoint(call, account).replace(/^[a-z]+:\/\//i, "");
  return `${host}/${repository}`;
}

/** The repository that an input names, with who acts; the log gets it too. */
export function addressOf(
  call: EcrCall,
  input: { registryId: string | undefined; repositoryName: string },
): RepositoryAddress & Actor {
  const repository = input.repositoryName;
  call.request.log.repository = repository;
  return { account: accountOf(call, input), repository, actor: call.principal.arn };
}

/** The caller as the pull-through cache sees it. */
export function pullerOf(call: EcrCall, { account, repository }: RepositoryAddress): Puller {
  const resource = repositoryArn(call.service.registry.region, account, repository);
  return {
    actor: call.principal.arn,
    async mayImport(actions) {
      return (await call.authorize(actions.map((action) => ({ action, resource })))).allowed;
    },
  };
}

/** Permission for an action on the repository that the input names. */
export function onRepository(action: string) {
  return (
    call: EcrCall,
    input: { registryId: string | undefined; repositoryName: string },
  ): Permission => ({ action: `ecr:${action}`, resource: repositoryResource(call, input) });
}

/** Permission for an action that has no resource, in the registry that the input means. */
export function onRegistry(action: string) {
  return (_call: EcrCall, input: object): Permission => ({
    action: `ecr:${action}`,
    resource: "*",
    // Else it would be decided by the policies of the caller's own registry.
    ...("registryId" in input &&
      typeof input.registryId === "string" && { account: input.registryId }),
  });
}
