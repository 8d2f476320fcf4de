import {
  CENTRELINE,
  CORRIDOR,
  conditionColour,
  darkOf,
  darkRules,
  HAIRLINE,
  INK,
  MUTED,
  PAPER,
  SANS,
  WARNING,
} from "./theme.ts";

const variables = (colour: (light: string) => string): string =>
  `--ink:${colour(INK)};--muted:${colour(MUTED)};--line:${colour(HAIRLINE)};--paper:${colour(PAPER)};` +
  `--wash:${colour(CORRIDOR)};--warning:${colour(WARNING)};--edge:${colour(CENTRELINE)};` +
  `--focus:${colour(conditionColour(1))};--good:${colour(conditionColour(3))};--bad:${colour(conditionColour(2))}`;

/** A shade at the side where a wide figure or table goes on; the paper over it moves with the content, and covers it at the end. */
const SCROLL_SHADOWS =
  ".wide,.scroll{background:linear-gradient(to right,var(--paper) 40%,transparent) 0 0/48px 100% no-repeat local," +
  "linear-gradient(to left,var(--paper) 40%,transparent) 100% 0/48px 100% no-repeat local," +
  "linear-gradient(to right,var(--line),transparent) 0 0/12px 100% no-repeat scroll," +
  "linear-gradient(to left,var(--line),transparent) 100% 0/12px 100% no-repeat scroll}";

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
${SCROLL_SHADOWS}
.figure{color:var(--ink)}
figcaption,.note{margin:18px 0 0;max-width:44em;font-size:15px;line-height:1.5;color:var(--muted)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font:13.5px/1.4 var(--sans);font-variant-numeric:tabular-nums lining-nums}
th,td{padding:6px 0 6px 14px;text-align:right;white-space:nowrap;vertical-align:baseline;font-weight:400}
th:first-child{padding-left:0;text-align:left;white-space:normal;width:27%;min-width:200px}
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
a{color:inherit}
header{position:relative}
button,select{font:13.5px/1.2 var(--sans);color:var(--ink);background:var(--paper);border:1px solid var(--edge);border-radius:6px;padding:6px 10px}
button{cursor:pointer;display:none}
[data-script] button{display:inline-block}
button:hover,select:hover{border-color:var(--muted)}
:focus-visible{outline:2px solid var(--focus);outline-offset:2px}
.theme{position:absolute;top:-8px;right:0}
.player,[data-script] .scriptless{display:none}
[data-script] .player{display:block}
.player canvas{display:block;max-width:100%;cursor:pointer;border-radius:4px}
.transport{display:grid;grid-template-columns:auto minmax(0,1fr) auto;gap:4px 18px;align-items:start;margin-top:22px;font:13.5px/1.4 var(--sans)}
.play{min-width:76px;font-weight:600}
.clock{padding-top:5px;min-width:118px;text-align:right;font-variant-numeric:tabular-nums}
.ends{display:flex;justify-content:space-between;color:var(--muted);font-size:11.5px}
.seek{appearance:none;-webkit-appearance:none;display:block;width:100%;height:28px;margin:0;background:none;cursor:pointer}
.seek::-webkit-slider-runnable-track{height:8px;border-radius:4px;background:var(--ramp,var(--line))}
.seek::-moz-range-track{height:8px;border-radius:4px;background:var(--ramp,var(--line))}
.seek::-webkit-slider-thumb{-webkit-appearance:none;width:18px;height:18px;margin-top:-5px;border-radius:50%;background:var(--paper);border:2px solid var(--ink)}
.seek::-moz-range-thumb{width:14px;height:14px;border-radius:50%;background:var(--paper);border:2px solid var(--ink)}
.choices{display:flex;flex-wrap:wrap;gap:10px 20px;margin-top:16px;font:13.5px/1.4 var(--sans);color:var(--muted)}
.choices select{margin-left:4px;max-width:min(240px,60vw)}
.verdict,.prose{white-space:normal}
th.prose,td.prose{text-align:left;min-width:150px}
.contents{margin-top:28px;font:14px/1.5 var(--sans);color:var(--muted)}
h3{margin:40px 0 14px;font-size:18px;line-height:1.3;font-weight:500}
h2+h3{margin-top:0}
.prose-text{max-width:44em;margin:0 0 14px;overflow-wrap:anywhere}
.prose-text li{margin:4px 0}
.claims th:first-child{width:22%;min-width:150px}
.claims td{white-space:normal}
.claims .verdict,.claims thead th:last-child{text-align:left;min-width:150px;padding-left:20px}
.verdict .word{white-space:nowrap}
.sign{font-weight:700}
.holds .sign{color:var(--good)}.fails .sign{color:var(--bad)}.partly .sign,.undecided .sign{color:var(--warning)}
@media (max-width:640px){.wide svg{min-width:820px}body{font-size:16px}main{padding:36px 18px 64px}h1{font-size:32px}.facts div{grid-template-columns:1fr}.facts dd{margin-bottom:6px}.transport{grid-template-columns:auto 1fr}.time{grid-column:1/-1;grid-row:2}}
@media screen and (prefers-color-scheme:dark){:root:not([data-theme=light]){color-scheme:dark;${variables(darkOf)}}${darkRules(":root:not([data-theme=light]) .figure")}}
@media screen{:root[data-theme=light]{color-scheme:light}:root[data-theme=dark]{color-scheme:dark;${variables(darkOf)}}${darkRules(":root[data-theme=dark] .figure")}}
@media (prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}
@media print{body{font-size:10.5pt}main{max-width:none;padding:0}h1{font-size:24pt}h2{font-size:14pt;break-after:avoid}section{margin-top:28pt}figure,tr,.player{break-inside:avoid}.drawing,.scroll{overflow:visible}.wide svg{min-width:0}button.theme,.transport,.choices{display:none!important}}
`;
