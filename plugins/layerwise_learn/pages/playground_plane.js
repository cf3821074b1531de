// The plane: the output of the network as a surface, the points on it, and a hand that sets points.
const EDGE = 6;

function playgroundPlane(element, colours, on) {
  const canvas = element.querySelector("canvas.pg-plane");
  const pen = canvas.getContext("2d");
  const small = document.createElement("canvas");
  let stroke = null;
  let cursor = [0, 0];

  const toPixel = ([x, y]) => [((x / EDGE + 1) / 2) * canvas.width, ((1 - y / EDGE) / 2) * canvas.height];
  const toPoint = (event) => {
    const frame = canvas.getBoundingClientRect();
    const clip = (value) => Math.max(-EDGE, Math.min(EDGE, value));
    return [clip((((event.clientX - frame.left) / frame.width) * 2 - 1) * EDGE), clip((1 - ((event.clientY - frame.top) / frame.height) * 2) * EDGE)];
  };

  function draw(picture, points, { isRegression, showTest }) {
    if (picture) {
      small.width = picture.width;
      small.height = picture.height;
      small.getContext("2d").putImageData(picture, 0, 0);
      pen.imageSmoothingQuality = "high";
      pen.drawImage(small, 0, 0, canvas.width, canvas.height);
    }
    const unit = canvas.width / 300;
    points.forEach(([x, y, target, isTest]) => {
      if (isTest && !showTest) return;
      const colour = isRegression ? colours.ofValue(target) : colours.ofPoint(target);
      pen.beginPath();
      pen.arc(...toPixel([x, y]), (isTest ? 3 : 3.6) * unit, 0, 2 * Math.PI);
      pen.fillStyle = isTest ? "white" : colour;
      pen.fill();
      pen.lineWidth = (isTest ? 1.8 : 1) * unit;
      pen.strokeStyle = isTest ? colour : isRegression ? "rgb(140 140 140)" : "white";
      pen.stroke();
    });
    if (on.canDraw() && document.activeElement === canvas) {
      const [x, y] = toPixel(cursor);
      pen.lineWidth = 1.5 * unit;
      pen.strokeStyle = getComputedStyle(canvas).color;
      pen.beginPath();
      pen.moveTo(x - 8 * unit, y);
      pen.lineTo(x + 8 * unit, y);
      pen.moveTo(x, y - 8 * unit);
      pen.lineTo(x, y + 8 * unit);
      pen.stroke();
    }
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button || !on.canDraw()) return;
    canvas.setPointerCapture(event.pointerId);
    stroke = [toPoint(event)];
    on.preview(stroke);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!stroke) return;
    const point = toPoint(event);
    const last = stroke.at(-1);
    // Points of a stroke stand apart, or there would be hundreds of them.
    if (Math.hypot(point[0] - last[0], point[1] - last[1]) < 0.4) return;
    stroke.push(point);
    on.preview(stroke);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, () => {
      if (stroke) on.add(stroke);
      stroke = null;
    });
  }
  canvas.addEventListener("keydown", (event) => {
    if (!on.canDraw()) return;
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    const size = event.shiftKey ? 1 : 0.25;
    if (move) cursor = cursor.map((value, index) => Math.max(-EDGE, Math.min(EDGE, value + size * move[index])));
    else if (event.key === "Enter" || event.key === " ") on.add([[...cursor]]);
    else return;
    event.preventDefault();
    on.redraw();
  });
  canvas.addEventListener("focus", () => on.redraw());
  canvas.addEventListener("blur", () => on.redraw());
  return { draw };
}

// Own points as the text that the server reads: 16 bits for each coordinate and for the target.
function encodePoints(points, isRegression) {
  const view = new DataView(new ArrayBuffer(6 * points.length));
  points.forEach(([x, y, target], index) => {
    [(x / EDGE + 1) * 32767.5, (y / EDGE + 1) * 32767.5, isRegression ? (target + 1) * 32767.5 : target].forEach((value, part) => view.setUint16(6 * index + 2 * part, Math.round(value), true));
  });
  return btoa(String.fromCharCode(...new Uint8Array(view.buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function decodePoints(text, isRegression) {
  let bytes;
  try {
    bytes = Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  } catch {
    return [];
  }
  const view = new DataView(bytes.buffer);
  return Array.from({ length: Math.floor(bytes.length / 6) }, (_, index) => {
    const part = (number) => view.getUint16(6 * index + 2 * number, true);
    return [(part(0) / 32767.5 - 1) * EDGE, (part(1) / 32767.5 - 1) * EDGE, isRegression ? part(2) / 32767.5 - 1 : part(2)];
  });
}
