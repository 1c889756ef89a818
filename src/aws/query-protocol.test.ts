/** What the SDK would never send: forms of every wrong kind get AWS's error and never a 500. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { SignatureV4 } from "@smithy/signature-v4";
import { type AwsEndpoint, startAwsEndpoint } from "../../tests/support/aws-endpoint.ts";
import { parseForm } from "./query-form.ts";
import { Sha256 } from "./sha256.ts";

let endpoint: AwsEndpoint;
beforeAll(async () => {
  endpoint = await startAwsEndpoint();
});
afterAll(async () => {
  expect(endpoint.unforeseen).toEqual([]);
  await endpoint[Symbol.asyncDispose]();
});

const form = "application/x-www-form-urlencoded";

async function send(
  body: string,
  { service = "iam", region = "us-east-1", contentType = form, signed = true } = {},
) {
  const { id: accessKeyId, secretAccessKey } = endpoint.root;
  const credentials = { accessKeyId, secretAccessKey };
  const signer = new SignatureV4({ service, region, credentials, sha256: Sha256 });
  const url = new URL(endpoint.url);
  const request = {
    method: "POST",
    protocol: "http:",
    hostname: url.hostname,
    path: "/",
    headers: { host: url.host, "content-type": contentType },
    body,
  };
  const { headers } = signed ? await signer.sign(request) : request;
  const response = await fetch(url, { method: "POST", headers, body });
  const text = await response.text();
  return {
    status: response.status,
    code: /<Code>(.*)<\/Code>/.exec(text)?.[1],
    namespace: /xmlns="([^"]*)"/.exec(text)?.[1],
    text,
  };
}

const identity = "Action=GetCallerIdentity&Version=2011-06-15";

test("answers in XML, with the namespace of the service and the request's id", async () => {
  const answer = await send(identity, { service: "sts" });
  expect(answer.status).toBe(200);
  expect(answer.text).toMatch(
    /^<GetCallerIdentityResponse xmlns="https:\/\/sts.amazonaws.com\/doc\/2011-06-15\/"><GetCallerIdentityResult><UserId>111122223333<\/UserId><Account>111122223333<\/Account><Arn>arn:aws:iam::111122223333:root<\/Arn><\/GetCallerIdentityResult><ResponseMetadata><RequestId>[0-9a-f-]{36}<\/RequestId><\/ResponseMetadata><\/GetCallerIdentityResponse>$/,
  );
  const refused = await send("Action=GetUser&Version=2010-05-08&UserName=none");
  expect(refused.text).toMatch(
    /^<ErrorResponse xmlns="https:\/\/iam.amazonaws.com\/doc\/2010-05-08\/"><Error><Type>Sender<\/Type><Code>NoSuchEntity<\/Code><Message>The user with name none cannot be found.<\/Message><\/Error><RequestId>[0-9a-f-]{36}<\/RequestId><\/ErrorResponse>$/,
  );
});

describe("refuses", () => {
  const deep = `${"a.".repeat(12)}b=1`;
  const cases: readonly [string, string, Parameters<typeof send>[1], number, string][] = [
    ["an unknown operation", "Action=Nothing&Version=2010-05-08", {}, 400, "InvalidAction"],
    ["a name of a prototype", "Action=constructor&Version=2010-05-08", {}, 400, "InvalidAction"],
    ["another service's version", identity, {}, 400, "InvalidAction"],
    ["no operation", "Version=2010-05-08", {}, 400, "MissingAction"],
    ["an operation that is a list", "Action.member.1=a&Version=x", {}, 400, "MissingAction"],
    ["a parameter twice", `${identity}&Action=a`, { service: "sts" }, 400, "MalformedQueryString"],
    ["a nest", `${identity}&${deep}`, { service: "sts" }, 400, "MalformedQueryString"],
    ["a value with members", "a=1&a.b=2", {}, 400, "MalformedQueryString"],
    ["no signature", identity, { signed: false }, 403, "MissingAuthenticationToken"],
    ["no signature and no form", "%%%", { signed: false }, 403, "MissingAuthenticationToken"],
    ["another service", identity, { service: "s3" }, 403, "SignatureDoesNotMatch"],
    ["another region", identity, { service: "sts", region: "x" }, 403, "SignatureDoesNotMatch"],
    [
      "a text where a list belongs",
      "Action=CreateUser&Version=2010-05-08&UserName=a&Tags=1",
      {},
      400,
      "MalformedInput",
    ],
    ["what is missing", "Action=CreateUser&Version=2010-05-08", {}, 400, "ValidationError"],
    ["too much", `${identity}&x=${"x".repeat(600_000)}`, {}, 413, "RequestEntityTooLarge"],
  ];
  test.each(cases)("%s", async (_, body, options, status, code) => {
    const answer = await send(body, options);
    expect({ status: answer.status, code: answer.code }).toEqual({ status, code });
  });
});

test("a form becomes objects and lists, in the order of the numbers", () => {
  const body = "L.member.10.K=c&L.member.2.K=b&L.member.1.K=a&S=x%20y+z&__proto__.a=1&E=";
  const parsed = parseForm(new TextEncoder().encode(body));
  expect(parsed.L).toEqual([{ K: "a" }, { K: "b" }, { K: "c" }]);
  expect(parsed.S).toBe("x y z");
  expect(parsed.E).toBe("");
  expect(Object.keys({}.constructor)).toEqual([]);
  expect(({} as { a?: unknown }).a).toBeUndefined();
});
