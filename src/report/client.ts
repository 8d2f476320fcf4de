import { createHash } from "node:crypto";
import { PLAYER_SCRIPT } from "./client-player.ts";

/** The script of every page: light and dark, and the players. It is all the script that the page permits itself. */
export const CLIENT_SCRIPT = `"use strict";
${PLAYER_SCRIPT}
(() => {
  const root = document.documentElement;
  const preference = matchMedia("(prefers-color-scheme: dark)");
  let printing = false;
  const chosen = () => root.dataset.theme;
  const isDark = () => !printing && (chosen() ? chosen() === "dark" : preference.matches);
  root.dataset.script = "on";
  const redraws = [...document.querySelectorAll(".player")].map((p) => startPlayer(p, isDark));
  const button = document.querySelector("button.theme");
  function show() {
    if (button) button.textContent = isDark() ? "Light" : "Dark";
    for (const redraw of redraws) redraw();
  }
  if (button) button.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; show(); });
  preference.addEventListener("change", show);
  addEventListener("beforeprint", () => { printing = true; show(); });
  addEventListener("afterprint", () => { printing = false; show(); });
  show();
})();
`;

/** Nothing is loaded, sent or framed, and no other script runs, whatever names the page shows. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  `script-src 'sha256-${createHash("sha256").update(CLIENT_SCRIPT).digest("base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");
