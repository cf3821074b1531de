// Draws traces in space on a canvas: turned by dragging or by the arrow keys, what is farther away behind and thinner.
const STOPS = [[59, 111, 212], [42, 165, 140], [224, 160, 48], [212, 85, 59]]; // From the first residue to the last.
const SMOOTH = 5; // Pieces of the curve from one residue to the next.
const TURN = Math.PI / 16; // By a press of an arrow key.

function mixed(stops, share) {
  const place = Math.min(Math.max(share, 0), 1) * (stops.length - 1);
  const at = Math.min(Math.floor(place), stops.length - 2);
  return stops[at].map((value, channel) => value + (place - at) * (stops[at + 1][channel] - value));
}

const rgb = (color) => `rgb(${color.map(Math.round).join(" ")})`;

// A curve through all points (Catmull and Rom 1974).
function curve(points) {
  const found = [];
  for (let at = 0; at + 1 < points.length; at++) {
    const [a, b, c, d] = [points[Math.max(at - 1, 0)], points[at], points[at + 1], points[Math.min(at + 2, points.length - 1)]];
    for (let step = 0; step < SMOOTH; step++) {
      const t = step / SMOOTH;
      found.push(b.map((_, axis) => b[axis] + 0.5 * t * (c[axis] - a[axis] + t * (2 * a[axis] - 5 * b[axis] + 4 * c[axis] - d[axis] + t * (3 * (b[axis] - c[axis]) + d[axis] - a[axis])))));
    }
  }
  return [...found, points.at(-1)];
}

class Space {
  constructor(canvas) {
    this.canvas = canvas;
    this.traces = [];
    this.turned = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
    let [left, top] = [0, 0];
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      [left, top] = [event.clientX, event.clientY];
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!canvas.hasPointerCapture(event.pointerId)) return;
      this.turn((event.clientX - left) / 120, (event.clientY - top) / 120);
      [left, top] = [event.clientX, event.clientY];
    });
    canvas.addEventListener("keydown", (event) => {
      const [x, y] = { ArrowLeft: [-TURN, 0], ArrowRight: [TURN, 0], ArrowUp: [0, -TURN], ArrowDown: [0, TURN] }[event.key] ?? [];
      if (x === undefined) return;
      event.preventDefault();
      this.turn(x, y);
    });
    new ResizeObserver(() => this.draw()).observe(canvas);
    // Another theme has other colours.
    new MutationObserver(() => this.draw()).observe(document.body, { attributeFilter: ["class"] });
  }

  // Traces [{points, isTrue}], around the middle of the first one.
  show(traces) {
    const points = traces[0].points;
    const ends = (axis) => [Math.min, Math.max].map((end) => end(...points.map((point) => point[axis])));
    this.middle = [0, 1, 2].map((axis) => (ends(axis)[0] + ends(axis)[1]) / 2);
    this.radius = Math.max(...traces.flatMap((trace) => trace.points.map((point) => Math.hypot(...point.map((value, axis) => value - this.middle[axis])))));
    this.traces = traces.map((trace) => ({ ...trace, curve: curve(trace.points) }));
    this.draw();
  }

  turn(across, down) {
    const [c, s, d, r] = [Math.cos(across), Math.sin(across), Math.cos(down), Math.sin(down)];
    const by = [[c, 0, s], [r * s, d, -r * c], [-d * s, r, d * c]];
    this.turned = by.map((row) => [0, 1, 2].map((column) => row.reduce((sum, value, at) => sum + value * this.turned[at][column], 0)));
    this.draw();
  }

  draw() {
    const { canvas } = this;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!this.traces.length || !width) return;
    const sharp = window.devicePixelRatio || 1;
    [canvas.width, canvas.height] = [width * sharp, height * sharp];
    const paint = canvas.getContext("2d");
    paint.scale(sharp, sharp);
    const style = getComputedStyle(canvas);
    const grey = style.getPropertyValue("--body-text-color-subdued");
    const ground = style.getPropertyValue("--block-background-fill");
    const size = (0.48 * Math.min(width, height)) / this.radius;
    const pieces = this.traces.flatMap((trace) => {
      const seen = trace.curve.map((point) => {
        const from = point.map((value, axis) => value - this.middle[axis]);
        const [x, y, z] = this.turned.map((row) => row.reduce((sum, value, axis) => sum + value * from[axis], 0));
        const near = 1 + (0.22 * z) / this.radius;
        return [width / 2 + size * near * x, height / 2 - size * near * y, z / this.radius];
      });
      return seen.slice(1).map((point, at) => ({ from: seen[at], to: point, depth: (seen[at][2] + point[2]) / 2, isTrue: trace.isTrue, share: at / (seen.length - 2) }));
    });
    pieces.sort((one, other) => one.depth - other.depth);
    for (const piece of pieces) {
      const thick = (piece.isTrue ? 1.6 : 5.4) * (1 + 0.42 * piece.depth);
      // A rim in the colour of the ground shows which of two strands is in front.
      if (!piece.isTrue) stroke(paint, piece, thick + 2.4, ground, "butt");
      stroke(paint, piece, thick, piece.isTrue ? grey : rgb(mixed(STOPS, piece.share)), "round");
    }
  }
}

function stroke(paint, { from, to }, width, color, end) {
  paint.lineCap = end;
  paint.lineWidth = width;
  paint.strokeStyle = color;
  paint.beginPath();
  paint.moveTo(from[0], from[1]);
  paint.lineTo(to[0], to[1]);
  paint.stroke();
}
