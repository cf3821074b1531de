// Draws a curve with its band, as SVG; and a map of distances on a canvas.
const FRAME = { left: 46, right: 14, top: 26, bottom: 44, height: 230 };
const WIDEST = 600;
const FINEST = 0.01; // Less is nothing, and its digits have no room.
const COLORS = [[253, 240, 170], [150, 210, 120], [35, 152, 140], [42, 72, 120], [10, 20, 50]]; // From near to far.
const GAP = [128, 128, 128];

const digits = (value) => String(Number(value.toPrecision(3)));

function ticks(most) {
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  return Array.from({ length: Math.floor(most / step + 1e-9) + 1 }, (_, at) => at * step);
}

// What is drawn where: again when the window has another width, so that its letters keep their size.
const curves = new Map();
window.addEventListener("resize", () => {
  for (const [place, [points, options]] of curves) drawCurve(place, points, options);
});

// Points [{x, y, low, high}] from left to right, drawn as wide as `place` is; `bar` is a height that is marked.
function drawCurve(place, points, options) {
  curves.set(place, [points, options]);
  const { xLabel, yLabel, bar, percent } = options;
  const { left, right, top, bottom, height } = FRAME;
  const width = Math.min(place.clientWidth || WIDEST, WIDEST);
  const [least, most] = [Math.min(...points.map(({ x }) => x)), Math.max(...points.map(({ x }) => x))];
  const highest = Math.max(...points.map(({ y, high }) => high ?? y), bar ?? 0, FINEST) * 1.05;
  const at = (x) => left + ((x - least) / (most - least || 1)) * (width - left - right);
  const up = (y) => height - bottom - (y / highest) * (height - top - bottom);
  const rules = ticks(highest).map((y) => `<line class="rule" x1="${left}" x2="${width - right}" y1="${up(y)}" y2="${up(y)}"/><text x="${left - 8}" y="${up(y) + 4}" text-anchor="end">${digits(y)}</text>`);
  const below = ticks(most).filter((x) => x >= least).map((x) => `<text x="${at(x)}" y="${height - bottom + 18}" text-anchor="middle">${percent ? `${Math.round(100 * x)} %` : digits(x)}</text>`);
  const path = (list) => list.map(([x, y]) => `${at(x).toFixed(1)},${up(y).toFixed(1)}`).join(" ");
  const band = points[0].low === undefined ? "" : `<polygon class="band" points="${path([...points.map(({ x, low }) => [x, low]), ...points.map(({ x, high }) => [x, high]).reverse()])}"/>`;
  const dots = points.length > 30 ? "" : points.map(({ x, y }) => `<circle class="dot" cx="${at(x).toFixed(1)}" cy="${up(y).toFixed(1)}" r="3"/>`).join("");
  const mark = bar === undefined ? "" : `<line class="bar" x1="${left}" x2="${width - right}" y1="${up(bar)}" y2="${up(bar)}"/>`;
  const said = `${yLabel} by ${xLabel}: ${digits(points[0].y)} at ${digits(points[0].x)}, ${digits(points.at(-1).y)} at ${digits(points.at(-1).x)}`;
  place.innerHTML = `<svg class="fold-curve" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${said}">${rules.join("")}${below.join("")}${mark}${band}<polyline class="line" points="${path(points.map(({ x, y }) => [x, y]))}"/>${dots}<text x="${left}" y="${height - 6}">${xLabel}</text><text x="0" y="12">${yLabel}</text></svg>`;
}

// Above the diagonal what was given, in steps of a quarter Å, 255 for what is not known; below it the distances of a
// structure.
function drawMap(canvas, known, coordinates, most) {
  const count = coordinates.length;
  [canvas.width, canvas.height] = [count, count];
  const paint = canvas.getContext("2d");
  const image = paint.createImageData(count, count);
  for (let row = 0; row < count; row++) {
    for (let column = 0; column < count; column++) {
      const step = known[row * count + column];
      const length = column > row ? (step === 255 ? null : step / 4) : Math.hypot(...coordinates[row].map((value, axis) => value - coordinates[column][axis]));
      image.data.set([...(length === null ? GAP : mixed(COLORS, length / most)), 255], 4 * (row * count + column));
    }
  }
  paint.putImageData(image, 0, 0);
}
