/** Connections and API destinations as EventBridge's API has them. */
import type {
  ApiDestination as ApiDestinationShape,
  DescribeConnectionResponse,
} from "@aws-sdk/client-eventbridge";
import * as v from "valibot";
import type { GivenAuthorization } from "../../events/connections.ts";
import type { ApiDestination, EventConnection } from "../../events/rule-documents.ts";
import { epochSeconds, type Wire } from "../operation.ts";
import { type EventsCall, optional, validation } from "./operation.ts";

const secret = v.pipe(v.string(), v.minLength(1), v.maxLength(512));

export const authorizationType = v.picklist(["BASIC", "OAUTH_CLIENT_CREDENTIALS", "API_KEY"]);

export const authParameters = v.object({
  BasicAuthParameters: optional(v.object({ Username: secret, Password: secret })),
  ApiKeyAuthParameters: optional(v.object({ ApiKeyName: secret, ApiKeyValue: secret })),
  OAuthParameters: optional(v.unknown()),
  InvocationHttpParameters: optional(v.unknown()),
});

/** @throws ValidationException */
export function givenAuthorization(
  type: v.InferOutput<typeof authorizationType>,
  parameters: v.InferOutput<typeof authParameters>,
): GivenAuthorization {
  if (type === "OAUTH_CLIENT_CREDENTIALS") {
    throw validation("AuthorizationType OAUTH_CLIENT_CREDENTIALS is not supported.");
  }
  if (parameters.InvocationHttpParameters !== undefined) {
    throw validation("InvocationHttpParameters is not supported.");
  }
  const { BasicAuthParameters: basic, ApiKeyAuthParameters: key } = parameters;
  if (type === "BASIC" && basic !== undefined) {
    if (basic.Username.includes(":")) throw validation("Username must not have a colon.");
    return { kind: "basic", user: basic.Username, secret: basic.Password };
  }
  if (type === "API_KEY" && key !== undefined) {
    if (/[^\x20-\x7e]/.test(key.ApiKeyValue))
      throw validation("ApiKeyValue must be printable ASCII.");
    return { kind: "header", name: key.ApiKeyName, secret: key.ApiKeyValue };
  }
  throw validation(`AuthParameters do not have those of AuthorizationType ${type}.`);
}

const typeOf = ({ authorization }: EventConnection) =>
  authorization.kind === "basic" ? "BASIC" : "API_KEY";

/** Never with the secret. */
export function connectionShape(
  name: string,
  connection: EventConnection,
): Wire<DescribeConnectionResponse> {
  const { authorization, description } = connection;
  return {
    ConnectionArn: connection.arn,
    Name: name,
    ...(description !== undefined && { Description: description }),
    ConnectionState: "AUTHORIZED",
    AuthorizationType: typeOf(connection),
    AuthParameters:
      authorization.kind === "basic"
        ? { BasicAuthParameters: { Username: authorization.user } }
        : {
            ApiKeyAuthParameters: {
              ApiKeyName:
                authorization.kind === "header" ? authorization.name : "webhook-signature",
            },
          },
    CreationTime: epochSeconds(connection.createdAt),
    LastModifiedTime: epochSeconds(connection.changedAt),
    LastAuthorizedTime: epochSeconds(connection.changedAt),
  };
}

/** For lists and answers to changes. */
export function connectionSummary(name: string, connection: EventConnection) {
  const shape = connectionShape(name, connection);
  const { AuthParameters: _parameters, Description: _description, ...summary } = shape;
  return summary;
}

export function destinationShape(
  call: EventsCall,
  name: string,
  destination: ApiDestination,
  connectionArn: string | undefined,
): Wire<ApiDestinationShape> & { Description?: string } {
  const { description } = destination;
  const { region } = call.service.registry;
  const gone = `arn:aws:events:${region}:${call.principal.account}:connection/${destination.connection}`;
  return {
    ApiDestinationArn: destination.arn,
    Name: name,
    ...(description !== undefined && { Description: description }),
    ApiDestinationState: connectionArn === undefined ? "INACTIVE" : "ACTIVE",
    ConnectionArn: connectionArn ?? gone,
    InvocationEndpoint: destination.endpoint,
    HttpMethod: destination.method,
    InvocationRateLimitPerSecond: destination.invocationRateLimitPerSecond,
    CreationTime: epochSeconds(destination.createdAt),
    LastModifiedTime: epochSeconds(destination.changedAt),
  };
}

/** The name in the ARN of a connection of the caller's. @throws ValidationException */
export function connectionOfArn(call: EventsCall, connectionArn: string): string {
  const { region } = call.service.registry;
  const prefix = `arn:aws:events:${region}:${call.principal.account}:connection/`;
  const name = connectionArn.startsWith(prefix)
    ? connectionArn.slice(prefix.length).split("/")[0]
    : "";
  if (name === undefined || !/^[.\-_A-Za-z0-9]{1,64}$/.test(name)) {
    throw validation(`${connectionArn} is no connection of this account and region.`);
  }
  return name;
}

export const method = v.picklist(["POST", "GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"]);

/** @throws ValidationException for those that carry no body */
export function methodOf(given: v.InferOutput<typeof method>): ApiDestination["method"] {
  if (given === "POST" || given === "PUT" || given === "PATCH") return given;
  throw validation(`HttpMethod ${given} is not supported: events are sent by POST, PUT or PATCH.`);
}
