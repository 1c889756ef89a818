/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html */
import type { CreateRepositoryResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { createRepository } from "../../../registry/create-repository.ts";
import { epochSeconds, type Wire } from "../../operation.ts";
import { accountOf, operation, repositoryResource, repositoryUri } from "../operation.ts";
import { optional, registryId, repositoryName } from "../shapes.ts";

/** Settings that are not there yet are refused, never taken and forgotten. */
const input = v.object({
  registryId: optional(registryId),
  repositoryName: v.pipe(v.string(), v.minLength(2), repositoryName),
  tags: optional(
    v.pipe(
      v.array(v.unknown()),
      v.check((tags) => tags.length === 0, "Resource tags are not supported yet"),
    ),
  ),
  imageTagMutability: optional(v.picklist(["MUTABLE"])),
  imageTagMutabilityExclusionFilters: optional(v.pipe(v.array(v.unknown()), v.maxLength(0))),
  imageScanningConfiguration: optional(
    v.object({
      scanOnPush: optional(
        v.pipe(
          v.boolean(),
          v.check((scanOnPush) => !scanOnPush, "Scanning on push is not supported yet"),
        ),
      ),
    }),
  ),
  encryptionConfiguration: optional(v.object({ encryptionType: v.picklist(["AES256"]) })),
});

export const CreateRepository = operation({
  input,
  permission: (call, input) => ({
    action: "ecr:CreateRepository",
    resource: repositoryResource(call, input),
  }),
  async handle(call, input): Promise<Wire<CreateRepositoryResponse>> {
    const account = accountOf(call, input);
    call.request.log.repository = input.repositoryName;
    const { name, created_at } = await createRepository(call.service.registry, {
      account,
      repository: input.repositoryName,
      actor: call.principal.arn,
    });
    return {
      repository: {
        repositoryArn: repositoryResource(call, input),
        registryId: account,
        repositoryName: name,
        repositoryUri: repositoryUri(call, account, name),
        createdAt: epochSeconds(created_at),
        imageTagMutability: "MUTABLE",
        imageScanningConfiguration: { scanOnPush: false },
        encryptionConfiguration: { encryptionType: "AES256" },
      },
    };
  },
});
