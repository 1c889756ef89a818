/** Three regions, somebody who looks at them, and calls that prepare what is looked at. */
import type { Browser } from "playwright-core";
import { type RegionProcesses, startRegionProcesses } from "../support/region-processes.ts";
import type { Credentials, ServerProcess } from "../support/server-process.ts";
import { startBrowser } from "./browser.ts";

export interface World extends AsyncDisposable {
  readonly installation: RegionProcesses;
  readonly browser: Browser;
  /** Where the browser goes. */
  readonly here: ServerProcess;
  /** Calls an operation as root, by the console's own door. */
  perform(service: "ecr" | "iam", operation: string, input: object): Promise<unknown>;
  /** A user with a policy and a key. */
  user(name: string, actions: readonly string[], resource?: string): Promise<Credentials>;
}

export async function startWorld(): Promise<World> {
  const installation = await startRegionProcesses("us-east-1", "eu-west-1", "sa-east-1");
  const browser = await startBrowser();
  const here = installation.region("us-east-1");
  const headers = { "X-Portolan-Console": "1", "Content-Type": "application/json" };
  const post = (path: string, body: object, cookie = "") =>
    fetch(`${here.endpoint}/console/api/${path}`, {
      method: "POST",
      headers: { ...headers, Cookie: cookie },
      body: JSON.stringify(body),
    });
  const signedIn = await post("session", installation.credentials);
  const cookie = (signedIn.headers.get("set-cookie") ?? "").split(";")[0];

  async function perform(service: string, operation: string, input: object): Promise<unknown> {
    const response = await post(`${service}/${operation}`, input, cookie);
    if (!response.ok) throw new Error(`${operation}: ${await response.text()}`);
    return response.json();
  }
  return {
    installation,
    browser,
    here,
    perform,
    async user(UserName, Action, Resource = "*") {
      const Statement = [{ Effect: "Allow", Action, Resource }];
      const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
      await perform("iam", "CreateUser", { UserName });
      await perform("iam", "PutUserPolicy", { UserName, PolicyName: "inline", PolicyDocument });
      const answer = (await perform("iam", "CreateAccessKey", { UserName })) as {
        AccessKey: { AccessKeyId: string; SecretAccessKey: string };
      };
      const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey } = answer.AccessKey;
      return { accessKeyId, secretAccessKey };
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      await installation[Symbol.asyncDispose]();
    },
  };
}
