/** A command to copy. */
import CopyToClipboard from "@cloudscape-design/components/copy-to-clipboard";
import { useText } from "../text/text.tsx";

export function Command({ command, label }: { command: string; label: string }) {
  const text = useText();
  return (
    <div className="command">
      <code className="code">{command}</code>
      <CopyToClipboard
        variant="icon"
        copyButtonAriaLabel={text.copy.label(label)}
        copySuccessText={text.copy.done}
        copyErrorText={text.copy.failed}
        textToCopy={command}
      />
    </div>
  );
}
