/**
 * Webhooks as EventBridge has them: a connection says how to prove oneself, an API destination
 * where to go. A connection of type API_KEY whose header is `webhook-signature` does not send its
 * key: it signs with it.
 */
import type { SecretCipher } from "../access/installation-key.ts";
import type { Queryable } from "../metadata/metadata-store.ts";
import { selectDocumentForUpdate } from "../metadata/queries/documents.ts";
import type { RegistryContext } from "../registry/context.ts";
import { changeDocument, findDocument, listDocuments } from "../registry/documents.ts";
import { EventsError } from "./errors.ts";
import {
  type ApiDestination,
  apiDestinationKind,
  type ConnectionAuthorization,
  type EventConnection,
  eventConnectionKind,
} from "./rule-documents.ts";
import { allRules } from "./rules.ts";
import { checkSigningSecret, signatureHeader } from "./webhook-signature.ts";

export const connectionsLimit = 300;
export const apiDestinationsLimit = 300;

export interface EventsContext {
  readonly registry: RegistryContext;
  readonly cipher: SecretCipher;
  /** Where webhooks may go. */
  readonly checkEndpoint: (url: string) => void;
}

export interface NamedTarget {
  readonly account: string;
  readonly name: string;
  readonly actor: string;
}

export type GivenAuthorization =
  | { readonly kind: "header"; readonly name: string; readonly secret: string }
  | { readonly kind: "basic"; readonly user: string; readonly secret: string };

const binding = (account: string, name: string) => `event connection ${account} ${name}`;

/** Of headers that the server itself sends. */
const ownHeaders = ["host", "content-length", "content-type", "user-agent", "connection"];

/** @throws EventsError invalid */
export function encryptAuthorization(
  { cipher }: Pick<EventsContext, "cipher">,
  { account, name }: Pick<NamedTarget, "account" | "name">,
  given: GivenAuthorization,
): ConnectionAuthorization {
  const encrypted = cipher.encrypt(given.secret, binding(account, name));
  const encryptedSecret = Buffer.from(encrypted).toString("base64");
  if (given.kind === "basic") return { kind: "basic", user: given.user, encryptedSecret };
  const header = given.name.toLowerCase();
  if (header === signatureHeader) {
    checkSigningSecret(given.secret);
    return { kind: "signature", encryptedSecret };
  }
  const reserved = ownHeaders.includes(header) || header.startsWith("webhook-");
  if (reserved || !/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(header)) {
    throw new EventsError("invalid", `ApiKeyName ${given.name} cannot be a header of a webhook.`);
  }
  return { kind: "header", name: given.name, encryptedSecret };
}

/** @throws SecretDecryptionError */
export function decryptSecret(
  { cipher }: Pick<EventsContext, "cipher">,
  account: string,
  name: string,
  { encryptedSecret }: ConnectionAuthorization,
): string {
  return cipher.decrypt(
    new Uint8Array(Buffer.from(encryptedSecret, "base64")),
    binding(account, name),
  );
}

/** @throws exists, limit */
export async function createConnection(
  { registry }: EventsContext,
  target: NamedTarget,
  connection: EventConnection,
): Promise<void> {
  const { account, name } = target;
  await registry.metadata.transaction(async (tx) => {
    const limit = connectionsLimit;
    const { length } = await listDocuments(tx, eventConnectionKind, account, { limit });
    await changeDocument(registry, tx, eventConnectionKind, target, (present) => {
      if (present !== undefined) throw exists("Connection", name);
      if (length >= limit)
        throw new EventsError("limit", `There may be at most ${limit} connections.`);
      return connection;
    });
  });
}

/** @throws unknown, and what `change` throws */
export async function changeConnection(
  { registry }: EventsContext,
  target: NamedTarget,
  change: (present: EventConnection) => EventConnection,
): Promise<EventConnection> {
  const changed = await registry.metadata.transaction((tx) =>
    changeDocument(registry, tx, eventConnectionKind, target, (present) => {
      if (present === undefined) throw unknown("Connection", target.name);
      return change(present);
    }),
  );
  if (changed === undefined) throw unknown("Connection", target.name);
  return changed;
}

/** @returns as it was @throws unknown, in_use */
export function deleteConnection(
  { registry }: EventsContext,
  target: NamedTarget,
): Promise<EventConnection> {
  const { account, name } = target;
  return registry.metadata.transaction(async (tx) => {
    const connection = await findConnection(tx, account, name);
    const limit = apiDestinationsLimit;
    const users = await listDocuments(tx, apiDestinationKind, account, { limit });
    if (users.some(({ value }) => value.connection === name)) {
      throw new EventsError("in_use", `The connection ${name} is in use by an API destination.`);
    }
    await changeDocument(registry, tx, eventConnectionKind, target, () => undefined);
    return connection;
  });
}

/** @throws unknown */
export async function findConnection(
  db: Queryable,
  account: string,
  name: string,
): Promise<EventConnection> {
  const found = await findDocument(db, eventConnectionKind, account, name);
  if (found === undefined) throw unknown("Connection", name);
  return found.value;
}

/** @throws exists, limit, invalid, unknown */
export async function createApiDestination(
  context: EventsContext,
  target: NamedTarget,
  destination: ApiDestination,
): Promise<void> {
  const { registry } = context;
  const { account, name } = target;
  context.checkEndpoint(destination.endpoint);
  await registry.metadata.transaction(async (tx) => {
    await findConnection(tx, account, destination.connection);
    const limit = apiDestinationsLimit;
    const { length } = await listDocuments(tx, apiDestinationKind, account, { limit });
    await changeDocument(registry, tx, apiDestinationKind, target, (present) => {
      if (present !== undefined) throw exists("ApiDestination", name);
      if (length >= limit)
        throw new EventsError("limit", `There may be at most ${limit} API destinations.`);
      return destination;
    });
  });
}

/** @throws unknown, invalid */
export async function changeApiDestination(
  context: EventsContext,
  target: NamedTarget,
  change: (present: ApiDestination) => ApiDestination,
): Promise<ApiDestination> {
  const { registry, checkEndpoint } = context;
  return registry.metadata.transaction(async (tx) => {
    await selectDocumentForUpdate(tx, target.account, apiDestinationKind.kind, target.name);
    const next = change(await findApiDestination(tx, target.account, target.name));
    checkEndpoint(next.endpoint);
    await findConnection(tx, target.account, next.connection);
    await changeDocument(registry, tx, apiDestinationKind, target, () => next);
    return next;
  });
}

/** @throws unknown, in_use */
export async function deleteApiDestination(
  { registry }: EventsContext,
  target: NamedTarget,
): Promise<void> {
  const { account, name } = target;
  await registry.metadata.transaction(async (tx) => {
    const { arn } = await findApiDestination(tx, account, name);
    const rules = await allRules(tx, account);
    const user = rules.find(({ rule }) => rule.targets.some((each) => each.arn === arn));
    if (user !== undefined) {
      throw new EventsError("in_use", `The API destination is a target of the rule ${user.name}.`);
    }
    await changeDocument(registry, tx, apiDestinationKind, target, () => undefined);
  });
}

/** @throws unknown */
export async function findApiDestination(
  db: Queryable,
  account: string,
  name: string,
): Promise<ApiDestination> {
  const found = await findDocument(db, apiDestinationKind, account, name);
  if (found === undefined) throw unknown("ApiDestination", name);
  return found.value;
}

const unknown = (type: string, name: string) =>
  new EventsError("unknown", `${type} '${name}' does not exist.`);
const exists = (type: string, name: string) =>
  new EventsError("exists", `${type} '${name}' already exists.`);
