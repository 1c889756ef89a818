/** The title of the browser's tab. */
import { useEffect } from "react";
import { useText } from "../text/text.tsx";

export function useTitle(title: string): void {
  const { product } = useText();
  useEffect(() => {
    document.title = `${title} – ${product}`;
  }, [title, product]);
}
