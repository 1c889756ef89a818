/** The reference of the console's API, as Markdown, from the table that the server itself uses. */
import { endpoints, openEndpoints } from "./router.ts";

export function consoleApiPage(generated: string): string {
  const rows = [...openEndpoints, ...endpoints].map(
    ({ method, path, summary }) => `| \`${method} /console/api/${path}\` | ${summary} |`,
  );
  return `# The console's API

${generated}

What the console's pages call. It is for them: it may change with every version, and programs had better use
[Amazon ECR's API](ecr.md), which does not. The shapes are in \`src/console/api-types.ts\`.

Whoever calls is known by the cookie of the session. Everything that is not a \`GET\` needs the header
\`X-Portolan-Console\` with any value, comes from the console's own origin, and has a JSON object as its body.
Times are milliseconds since the epoch.

| Endpoint | |
|---|---|
${rows.join("\n")}
| \`POST /console/api/ecr/<Operation>\` | Any operation of [Amazon ECR's API](ecr.md), with its input and output as JSON; dates are seconds since the epoch. |
| \`POST /console/api/iam/<Operation>\`, \`sts/…\`, \`secretsmanager/…\`, \`events/…\` | The same for those services; lists are arrays, dates are texts of ISO 8601. |

An error is \`{"error": {"code", "message"}}\`. One of a missing permission has status 403 and says which: \`action\`
and \`resource\`. Without a session the status is 401, after too many attempts to sign in it is 429.
`;
}
