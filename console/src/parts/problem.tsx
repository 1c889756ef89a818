/** What went wrong, in words; a refusal names the permission that is missing. */
import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { ApiFailure } from "../api.ts";
import { useText } from "../text/text.tsx";

export function Problem({ error, onRetry }: { error: Error; onRetry?: () => void }) {
  const text = useText();
  const missing = error instanceof ApiFailure && error.action !== undefined ? error : undefined;
  return (
    <Alert
      type={missing ? "warning" : "error"}
      header={missing ? text.problem.refused : text.problem.failed}
      action={onRetry && <Button onClick={onRetry}>{text.problem.retry}</Button>}
    >
      {missing === undefined ? (
        error.message
      ) : (
        <SpaceBetween size="xs">
          <span>{text.problem.missingPermission}</span>
          <Box variant="code">
            <span className="code">
              {missing.action} · {missing.resource}
            </span>
          </Box>
          <small>{error.message}</small>
        </SpaceBetween>
      )}
    </Alert>
  );
}
