/** A dialog takes the focus when it opens; whoever opened it wants to write in its first field. */
import { type RefObject, useEffect, useRef } from "react";

export function useFirstField(): RefObject<HTMLFormElement | null> {
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    // After the dialog has done what it does when it opens.
    const frame = requestAnimationFrame(() => {
      form.current?.querySelector<HTMLInputElement>("input:not([type=hidden])")?.focus();
    });
    return () => cancelAnimationFrame(frame);
  }, []);
  return form;
}
