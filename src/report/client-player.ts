/**
 * Runs in the reader's browser: animates every `.player` of a page (`player.ts` writes its data). A string, since the
 * project compiles without a browser's types; `test/unit/report-client.test.ts` checks it against them.
 */
export const PLAYER_SCRIPT = `
function startPlayer(player, isDark) {
  const find = (selector) => player.querySelector(selector);
  const data = JSON.parse(find("script").textContent);
  const bytes = Uint8Array.from(atob(data.numbers), (c) => c.charCodeAt(0));
  const numbers = new Uint16Array(bytes.buffer);
  const NOTHING = 65535;
  const canvas = find("canvas"), pen = canvas.getContext("2d");
  const [play, seek, clock] = [find(".play"), find(".seek"), find(".clock")];
  const [condition, network, row, trail, speed] = ["condition", "network", "row", "trail", "speed"].map((n) => find("." + n));
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (calm) speed.value = "10";
  let step = Number(seek.value), running = false, before = 0, frame = 0;

  const progress = (s) => Math.sqrt(Math.min(1, Math.max(0, s / data.end)));
  // First step of each colour of the ramp: the inverse of progress.
  const COLOURS = data.ramp.light.length;
  const colourFrom = Array.from({ length: COLOURS + 1 }, (_, i) => data.end * (i / COLOURS) ** 2);

  // Rows whose positions end early have diverged.
  const soundSamples = data.films.map((film) =>
    Array.from({ length: data.networks.length * data.rows }, (_, k) => {
      let n = 0;
      while (n < film.samples && numbers[film.offset + (k * film.samples + n) * 2] !== NOTHING) n++;
      return n;
    }),
  );

  function chosenRows() {
    const rows = [];
    data.networks.forEach((n, s) => {
      if (network.value !== "all" && Number(network.value) !== n) return;
      for (let k = 0; k < data.rows; k++) if (row.value === "all" || Number(row.value) === k) rows.push(s * data.rows + k);
    });
    return rows;
  }
  const chosenFilms = () =>
    condition.value === "all"
      ? data.films.map((_, i) => i).slice(0, data.sideBySide)
      : [Number(condition.value)];

  const HEAD = data.films.some((f) => f.detail) ? 42 : 26, GAP = 16;
  function layout(width) {
    const films = chosenFilms();
    const { view } = data;
    const columns = films.length === 1 ? 1 : Math.max(1, Math.min(films.length, Math.floor((width + GAP) / (160 + GAP))));
    // No line of a single panel where a column less fills it.
    const even = Math.ceil(films.length / Math.ceil(films.length / columns));
    const widest = films.length === 1 ? (480 * view.width) / view.height : 340;
    const w = Math.min(widest, (width - GAP * (even - 1)) / even);
    const h = (w * view.height) / view.width;
    const lines = Math.ceil(films.length / even);
    const left = (width - even * w - (even - 1) * GAP) / 2;
    return {
      height: lines * (h + HEAD) + (lines - 1) * GAP,
      panels: films.map((film, i) => ({ film, x: left + (i % even) * (w + GAP), y: Math.floor(i / even) * (h + HEAD + GAP), w, h })),
    };
  }

  function ground(at, unit, base) {
    const { tracks, walls, discs, centres } = data;
    const trace = (points, close) => {
      points.forEach((p, i) => (i === 0 ? pen.moveTo(...at(p[0], p[1])) : pen.lineTo(...at(p[0], p[1]))));
      if (close) pen.closePath();
    };
    pen.beginPath();
    for (const wall of walls) trace(wall, true);
    [pen.fillStyle, pen.strokeStyle, pen.lineWidth] = [base.corridor, base.centreline, 2];
    if (walls.length > 0) { pen.fill(); pen.stroke(); }
    pen.beginPath();
    for (const track of tracks) trace(track, false);
    [pen.strokeStyle, pen.lineWidth] = [base.corridor, data.trackWidth * unit];
    if (tracks.length > 0) pen.stroke();
    [pen.strokeStyle, pen.lineWidth] = [base.centreline, 1];
    if (tracks.length > 0) pen.stroke();
    pen.setLineDash([2, 3]);
    for (const d of discs) {
      pen.beginPath();
      pen.arc(...at(d.x, d.y), d.radius * unit, 0, 7);
      pen.stroke();
    }
    pen.setLineDash([]);
    pen.fillStyle = base.centreline;
    for (const c of centres) {
      pen.beginPath();
      pen.arc(...at(c[0], c[1]), 1.6, 0, 7);
      pen.fill();
    }
  }

  function paths(film, index, rows, at, theme, base) {
    const metre = (q, axis) => data.origin[axis] + q * data.unit;
    const point = (k, i) => {
      const from = film.offset + (k * film.samples + i) * 2;
      return at(metre(numbers[from], 0), metre(numbers[from + 1], 1));
    };
    const now = (step - film.first) / film.pitch;
    const length = (trail.value === "all" ? data.end : Number(trail.value)) / film.pitch;
    const crowd = rows.length * Math.min(length, film.samples) > 2500;
    [pen.lineWidth, pen.globalAlpha, pen.lineJoin, pen.lineCap] = [crowd ? 1 : 1.6, crowd ? 0.6 : 0.9, "round", "round"];
    const heads = [];
    const lasts = rows.map((k) => Math.min(now, soundSamples[index][k] - 1));
    const oldest = Math.max(0, now - length);
    for (let c = 0; c < COLOURS; c++) {
      const from = Math.max(oldest, (colourFrom[c] - film.first) / film.pitch);
      const to = Math.min(now, (colourFrom[c + 1] - film.first) / film.pitch);
      if (!(to > from)) continue;
      pen.beginPath();
      rows.forEach((k, j) => {
        const last = Math.min(to, lasts[j]);
        if (!(last > from)) return;
        pen.moveTo(...between(k, from));
        for (let i = Math.floor(from) + 1; i < last; i++) pen.lineTo(...point(k, i));
        pen.lineTo(...between(k, last));
      });
      pen.strokeStyle = data.ramp[theme][c];
      pen.stroke();
    }
    pen.globalAlpha = 1;
    function between(k, i) {
      const [low, f] = [Math.floor(i), i - Math.floor(i)];
      const a = point(k, low);
      if (f === 0 || low + 1 >= soundSamples[index][k]) return a;
      const b = point(k, low + 1);
      return [a[0] + f * (b[0] - a[0]), a[1] + f * (b[1] - a[1])];
    }
    const radius = rows.length > 40 ? 2.6 : rows.length > 8 ? 3.4 : 5;
    rows.forEach((k, j) => {
      if (lasts[j] < 0) return;
      pen.beginPath();
      pen.arc(...between(k, Math.max(0, lasts[j])), radius, 0, 7);
      [pen.fillStyle, pen.strokeStyle, pen.lineWidth] = [film.colour[theme === "dark" ? 1 : 0], base.paper, 1];
      pen.fill();
      pen.stroke();
    });
  }

  function draw() {
    frame = 0;
    const width = canvas.parentElement.clientWidth;
    const { height, panels } = layout(width);
    const ratio = Math.max(1, Math.min(3, devicePixelRatio || 1));
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== w || canvas.height !== h) {
      [canvas.width, canvas.height] = [w, h];
      [canvas.style.width, canvas.style.height] = [width + "px", height + "px"];
    }
    const theme = isDark() ? "dark" : "light";
    const base = data.base[theme];
    const rows = chosenRows();
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    for (const p of panels) {
      const film = data.films[p.film];
      pen.fillStyle = film.colour[theme === "dark" ? 1 : 0];
      pen.fillRect(p.x, p.y + 5, 14, 4);
      pen.font = "600 14px " + getComputedStyle(play).fontFamily;
      pen.fillStyle = base.ink;
      pen.fillText(film.label, p.x + 20, p.y + 12, p.w - 24);
      const labelWidth = Math.min(p.w - 24, pen.measureText(film.label).width);
      pen.font = "11px " + getComputedStyle(play).fontFamily;
      pen.fillStyle = base.muted;
      pen.fillText(film.detail, p.x, p.y + 30, p.w);
      const last = film.first + (film.samples - 1) * film.pitch;
      if (step > last) {
        pen.fillText("ended at step " + last, p.x + 28 + labelWidth, p.y + 12, Math.max(1, p.w - 28 - labelWidth));
      }
      pen.save();
      pen.beginPath();
      pen.rect(p.x, p.y + HEAD, p.w, p.h);
      pen.clip();
      const unit = p.w / data.view.width;
      const at = (x, y) => [p.x + (x - data.view.x) * unit, p.y + HEAD + (data.view.y + data.view.height - y) * unit];
      ground(at, unit, base);
      paths(film, p.film, rows, at, theme, base);
      pen.restore();
    }
    const stops = data.ramp[theme].map((c, i) => c + " " + (100 * colourFrom[i]) / data.end + "% " + (100 * colourFrom[i + 1]) / data.end + "%");
    seek.style.setProperty("--ramp", "linear-gradient(to right," + stops.join(",") + ")");
    const whole = Math.floor(step);
    seek.value = String(whole);
    seek.setAttribute("aria-valuetext", "step " + whole + " of " + data.end);
    clock.textContent = "step " + whole + " of " + data.end;
    player.dataset.step = String(whole);
  }
  const later = () => { if (frame === 0) frame = requestAnimationFrame(draw); };

  function advance(time) {
    if (!running) return;
    step = Math.min(data.end, step + (Math.min(100, time - before) / 1000) * Number(speed.value));
    before = time;
    draw();
    if (step >= data.end) pause();
    else requestAnimationFrame(advance);
  }
  function say() {
    play.textContent = running ? "Pause" : "Play";
    play.setAttribute("aria-pressed", String(running));
  }
  function pause() { running = false; say(); }
  function start() {
    if (step >= data.end) step = 0;
    [running, before] = [true, performance.now()];
    say();
    requestAnimationFrame(advance);
  }
  const toggle = () => (running ? pause() : start());
  const go = (to) => { pause(); step = Math.min(data.end, Math.max(0, to)); later(); };

  play.addEventListener("click", toggle);
  seek.addEventListener("input", () => go(Number(seek.value)));
  for (const select of [condition, network, row, trail, speed]) select.addEventListener("change", later);
  canvas.addEventListener("click", toggle);
  canvas.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: step - 1, ArrowRight: step + 1, PageDown: step - 20, PageUp: step + 20, Home: 0, End: data.end };
    if (event.key === " ") toggle();
    else if (event.key in moves) go(Math.round(moves[event.key]));
    else return;
    event.preventDefault();
  });
  new ResizeObserver(later).observe(canvas.parentElement);
  say();
  draw();
  return draw;
}
`;
