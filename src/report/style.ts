import { CORRIDOR, darkOf, darkRules, HAIRLINE, INK, MUTED, PAPER, SANS, WARNING } from "./theme.ts";

const variables = (colour: (light: string) => string): string =>
  `--ink:${colour(INK)};--muted:${colour(MUTED)};--line:${colour(HAIRLINE)};--paper:${colour(PAPER)};` +
  `--wash:${colour(CORRIDOR)};--warning:${colour(WARNING)}`;

/** The page's style sheet. Prose in a serif, data and labels in a sans with figures of equal width. */
export const STYLE = `
:root{color-scheme:light dark;${variables((c) => c)};--sans:${SANS};--serif:Charter,"Bitstream Charter","Source Serif 4","Iowan Old Style","Palatino Linotype",Palatino,Georgia,"Liberation Serif",serif}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:17px/1.55 var(--serif);-webkit-text-size-adjust:100%}
main{max-width:1064px;margin:0 auto;padding:64px 32px 96px}
.kicker{margin:0;font:500 12px/1.4 var(--sans);letter-spacing:.08em;text-transform:uppercase;color:var(--muted)}
h1{margin:6px 0 26px;font-size:42px;line-height:1.1;font-weight:500;letter-spacing:-.015em;overflow-wrap:anywhere}
h2{margin:0 0 18px;padding-top:14px;border-top:1px solid var(--line);font-size:23px;line-height:1.25;font-weight:500;letter-spacing:-.005em}
section{margin-top:64px}
.facts{margin:0;display:grid;gap:4px 0;font:14px/1.5 var(--sans)}
.facts div{display:grid;grid-template-columns:104px minmax(0,1fr)}
dt{color:var(--muted)}
dd{margin:0;overflow-wrap:anywhere}
.warning{color:var(--warning)}
.notices{margin:24px 0 0;padding:0;list-style:none;font:14px/1.5 var(--sans)}
.notices li{padding:6px 0 6px 14px;border-left:3px solid var(--warning);overflow-wrap:anywhere}
.notices li+li{margin-top:6px}
figure{margin:0}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:0 20px}
.pair section{min-width:0}
.drawing{overflow-x:auto}
.drawing svg{display:block;width:100%;height:auto}
.wide svg{min-width:760px}
.figure{color:var(--ink)}
figcaption,.note{margin:18px 0 0;max-width:44em;font-size:15px;line-height:1.5;color:var(--muted)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font:13.5px/1.4 var(--sans);font-variant-numeric:tabular-nums lining-nums}
th,td{padding:6px 0 6px 18px;text-align:right;white-space:nowrap;vertical-align:baseline;font-weight:400}
th:first-child{padding-left:0;text-align:left;white-space:normal;width:30%;min-width:230px}
thead th{white-space:normal;padding-bottom:8px;border-bottom:1px solid var(--ink);font-weight:600}
tbody td,tbody th{border-bottom:1px solid var(--line)}
.group th{padding-top:20px;font-weight:600}
thead th{vertical-align:bottom}
.sd,.meaning,.unit{color:var(--muted)}
.meaning{display:block;font-size:12.5px}
code{font:.92em/1.4 ui-monospace,"SF Mono",Menlo,Consolas,"Liberation Mono",monospace}
details{margin-top:16px;font:14px/1.5 var(--sans)}
summary{cursor:pointer;color:var(--muted)}
summary:hover{color:var(--ink)}
.definitions{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:4px 22px;margin:14px 0 0}
pre{margin:12px 0 0;padding:16px 18px;overflow:auto;max-height:560px;background:var(--wash);font:12.5px/1.5 ui-monospace,"SF Mono",Menlo,Consolas,"Liberation Mono",monospace}
@media (max-width:640px){body{font-size:16px}main{padding:36px 18px 64px}h1{font-size:32px}.facts div{grid-template-columns:1fr}.facts dd{margin-bottom:6px}}
@media (prefers-color-scheme:dark){:root{${variables(darkOf)}}${darkRules(".figure")}}
@media print{main{padding:0}section{break-inside:avoid}}
`;
