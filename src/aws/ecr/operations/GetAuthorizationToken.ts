/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html */
import type { GetAuthorizationTokenResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { epochSeconds, type Wire } from "../../operation.ts";
import { operation, registryEndpoint } from "../operation.ts";
import { optional, registryId } from "../shapes.ts";

export const GetAuthorizationToken = operation({
  input: v.object({
    registryIds: optional(v.pipe(v.array(registryId), v.minLength(1), v.maxLength(10))),
  }),
  permission: () => ({ action: "ecr:GetAuthorizationToken", resource: "*" }),
  async handle(call, input): Promise<Wire<GetAuthorizationTokenResponse>> {
    const { principal } = call;
    const { token, expiresAt } = call.service.tokens.issue(call);
    const authorizationToken = Buffer.from(`AWS:${token}`, "utf8").toString("base64");
    // One token opens every registry that the principal may reach; only the endpoints differ.
    const accounts = new Set(input.registryIds ?? [principal.account]);
    return {
      authorizationData: [...accounts].map((account) => ({
        authorizationToken,
        expiresAt: epochSeconds(expiresAt),
        proxyEndpoint: registryEndpoint(call, account),
      })),
    };
  },
});
