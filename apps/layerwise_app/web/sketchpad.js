// Draws with mouse, pen or finger. The value is the drawing as a data URL, empty for an empty pad.
const canvas = element.querySelector("canvas");
const pen = canvas.getContext("2d", { willReadFrequently: true });
const width = element.querySelector("input");
let strokes = [];
let background = null;
let published = "";
let waiting = 0;

function redraw() {
  pen.fillStyle = "white";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  if (background) pen.drawImage(background, 0, 0, canvas.width, canvas.height);
  strokes.forEach(draw);
}

function draw(stroke) {
  pen.strokeStyle = pen.fillStyle = "#111";
  pen.lineWidth = stroke.width;
  pen.lineCap = pen.lineJoin = "round";
  pen.beginPath();
  const [first, ...others] = stroke.points;
  pen.moveTo(...first);
  // A tap is a dot: a line of no length is drawn by its round ends only when it is given twice.
  (others.length ? others : [first]).forEach((point) => pen.lineTo(...point));
  pen.stroke();
}

function position(event) {
  const box = canvas.getBoundingClientRect();
  return [((event.clientX - box.left) / box.width) * canvas.width, ((event.clientY - box.top) / box.height) * canvas.height];
}

function publish() {
  published = strokes.length || background ? canvas.toDataURL("image/png") : "";
  props.value = published;
  clearTimeout(waiting);
  // Asked when the hand rests, not at each stroke of a quick drawing.
  if (published) waiting = setTimeout(() => trigger("submit"), 350);
}

canvas.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  event.preventDefault();
  canvas.setPointerCapture(event.pointerId);
  strokes.push({ width: Number(width.value), points: [position(event)] });
  draw(strokes.at(-1));
  canvas.dataset.drawing = "";
  clearTimeout(waiting);
});
canvas.addEventListener("pointermove", (event) => {
  if (!("drawing" in canvas.dataset)) return;
  // All the places where the pointer was since the last event: a quick curve stays round.
  const passed = event.getCoalescedEvents?.() ?? [];
  (passed.length ? passed : [event]).forEach((part) => strokes.at(-1).points.push(position(part)));
  draw(strokes.at(-1));
});
for (const end of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(end, () => {
    if (!("drawing" in canvas.dataset)) return;
    delete canvas.dataset.drawing;
    publish();
  });
}
element.addEventListener("click", (event) => {
  const action = event.target.closest("button")?.dataset.action;
  if (!action) return;
  if (action === "undo" && strokes.length) strokes.pop();
  else {
    strokes = [];
    background = null;
  }
  redraw();
  publish();
});
watch("value", () => {
  const value = props.value || "";
  if (value === published) return;
  published = value;
  strokes = [];
  background = null;
  redraw();
  if (!value) return;
  const image = new Image();
  image.onload = () => {
    background = image;
    redraw();
  };
  image.src = value;
});
redraw();
