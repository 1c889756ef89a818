/** The stream of what changes. */
import * as v from "valibot";
import { defineEndpoint } from "../endpoint.ts";
import { account, accountOf, onRepository } from "../input.ts";
import { readCookie } from "../session-cookie.ts";

export const getEvents = defineEndpoint({
  name: "console.get-events",
  method: "GET",
  path: "events",
  summary: "Server-sent events: `changes` of repositories and `chart`; resumed by Last-Event-ID.",
  input: v.object({ account }),
  // What each event tells is decided for each; a stream that tells nothing at all is refused.
  permissions: (call, input) =>
    onRepository(call, { ...input, repository: "*" }, "DescribeRepositories"),
  async handle(call, input) {
    const { services, session, request, facts, secure } = call;
    const cookie = readCookie(services.registry.region, secure, request) ?? "";
    const last = request.headers.get("last-event-id") ?? "";
    const stream = services.streams.open({
      sessionId: session.id,
      account: accountOf(call, input),
      caller: { principal: session.key.principal, request: facts },
      isSignedIn: async () => {
        const now = await services.sessions.find(cookie);
        return now?.key.id === session.key.id;
      },
      after: /^[0-9]{1,15}$/.test(last) ? Number(last) : undefined,
      signal: request.signal,
    });
    return new Response(stream, {
      headers: { "Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no" },
    });
  },
});
