/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAccountSetting.html */
import type { GetAccountSettingResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { findAccountSetting } from "../../../registry/account-settings.ts";
import type { Wire } from "../../operation.ts";
import { operation } from "../operation.ts";
import { accountSettingName } from "../shapes.ts";

export const GetAccountSetting = operation({
  input: v.object({ name: accountSettingName }),
  permission: (_call, { name }) => ({
    action: "ecr:GetAccountSetting",
    resource: "*",
    conditions: { "ecr:AccountSetting": name },
  }),
  async handle(call, { name }): Promise<Wire<GetAccountSettingResponse>> {
    const { read } = call.service.registry.metadata;
    return { name, value: await findAccountSetting(read, call.principal.account, name) };
  },
});
