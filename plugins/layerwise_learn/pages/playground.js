// The page holds the whole state of a training and asks the server for the next picture when it has drawn the last:
// nothing is asked for while it is paused or out of sight.
const root = element.querySelector(".pg");
const facts = JSON.parse(root.dataset.facts);
const find = (selector) => root.querySelector(selector);
const LIVE = ["optimizer", "learning_rate", "batch_size", "dropout", "l1", "l2"];
const KEPT = "layerwise-playground";
const MAX_ADDRESS = 2400;
const MAX_HISTORY = 400;
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

let config = { ...facts.defaults };
let opened = null; // what stays while the network learns: points, features, sizes
let state = null;
let frame = null;
let history = [];
let playing = false;
let running = false;
let opening = null; // while another network or other data are asked for: { kept }
let change = 0; // an answer to what was asked before the last change is dropped
let brush = 0;
let strokes = [];

const dataset = () => facts.datasets[config.data];
const names = (text) => (text ? text.split(",") : []);
const ownPoints = () => decodePoints(config.points, dataset().isRegression);
function bytesOf(text) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let place = 0; place < letters.length; place++) bytes[place] = letters.charCodeAt(place);
  return bytes;
}
const parametersOf = () => new Float64Array(bytesOf(state.parameters).buffer);
const numClasses = () => (dataset().isRegression ? 0 : Math.min(config.num_classes, dataset().maxClasses));

const colours = playgroundColours(root);
const network = playgroundNetwork(root, colours, {
  featureTitle: (index) => facts.features[names(config.features)[index]],
  select: () => state && inspect(),
  line: (text) => { find(".pg-line").textContent = text ?? "Arrow keys move from unit to unit; a line tells its weight."; },
  edit: (from) => find(`.pg-inspector [data-from="${from}"]`)?.focus(),
});
const plane = playgroundPlane(root, colours, {
  canDraw: () => dataset().isOwn,
  preview: (stroke) => drawPlane(stroke.map(([x, y]) => [x, y, brush, 0])),
  redraw: () => drawPlane(),
  add(stroke) {
    const before = ownPoints();
    strokes.push(before.length);
    setPoints([...before, ...stroke.map(([x, y]) => [x, y, brush])].slice(0, facts.maxPoints));
  },
});

function say(text, isError = false) {
  find(".pg-status").textContent = text;
  find(".pg-status").toggleAttribute("data-error", isError);
}

// Ask the server. Nothing comes back when the page has changed since, or when it did not work; then the page says why.
async function ask(name, request) {
  const asked = change;
  let answer;
  try {
    answer = await server[name](request);
  } catch {
    answer = { error: "The server does not answer. What was learned is still here: try again in a moment." };
  }
  if (asked !== change) return null;
  if (!answer?.error) return answer;
  pause();
  say(answer.error, true);
  return null;
}

// --- Training

async function run() {
  if (running) return;
  running = true;
  root.toggleAttribute("data-running", true);
  const next = () => ask("advance", { state, steps: find(".pg-speed").value === "auto" ? "auto" : Number(find(".pg-speed").value) });
  let asked = null;
  while (playing && !document.hidden && state && !opening) {
    const answer = await (asked ?? next());
    asked = null;
    if (!answer) continue;
    take(answer);
    // The server computes the next picture while this one is drawn.
    if (playing && !document.hidden && !opening && !calm.matches) asked = next();
    draw();
    await new Promise(requestAnimationFrame);
    if (calm.matches) await new Promise((done) => setTimeout(done, 300));
  }
  const last = await asked;
  running = false;
  root.toggleAttribute("data-running", false);
  if (last) {
    take(last);
    draw();
  }
  if (playing && !document.hidden && state && !opening) run();
}

function take(answer) {
  ({ state, frame } = answer);
  if (answer.diverged) {
    pause();
    say("The weights have grown beyond all bounds. Take a smaller learning rate and start again.", true);
  }
  const { train, test } = frame.measures;
  if (train && history.at(-1)?.[0] !== state.step) history.push([state.step, train.loss, test?.loss]);
  if (history.length > MAX_HISTORY) history = history.filter((_, index) => index % 2 === 0);
}

function play() {
  playing = true;
  say("");
  showPlaying();
  run();
}

function pause() {
  playing = false;
  showPlaying();
}

function showPlaying() {
  find(".pg-play").textContent = playing ? "Pause" : "Play";
  find(".pg-play").setAttribute("aria-pressed", playing);
}

async function oneStep() {
  pause();
  if (opening) return;
  const answer = await ask("advance", { state, steps: 1 });
  if (answer) {
    take(answer);
    draw();
  }
}

// A new network, or the one at hand with other data.
async function open(kept = null) {
  const mine = { kept };
  opening = mine;
  change++;
  const answer = await ask(kept ? "resume" : "begin", kept ? { state: { ...kept, config } } : { config });
  if (opening !== mine) return;
  opening = null;
  if (!answer) return;
  if (!kept) history = [];
  opened = answer;
  take(answer);
  colours.read();
  network.open(answer.sizes, heads());
  draw();
  if (playing) run();
}

// --- Choices

function set(changes, { keep = false } = {}) {
  const live = Object.keys(changes).every((name) => LIVE.includes(name));
  config = { ...config, ...changes };
  writeAddress();
  showChoices();
  if (opening) return open(live || keep ? opening.kept : null);
  if (!state || (!live && !keep)) return open();
  if (keep) return open(state);
  change++;
  state = { ...state, config, ...("optimizer" in changes ? { slots: "", slot_step: 0 } : {}) };
}

function setPoints(points) {
  const hadPoints = opened?.points.length;
  set({ points: encodePoints(points, dataset().isRegression) }, { keep: Boolean(hadPoints) });
}

function writeAddress() {
  const changed = Object.entries(config).filter(([name, value]) => String(value) !== String(facts.defaults[name]));
  const text = String(new URLSearchParams(changed.map(([name, value]) => [name, String(value)]))).replace(/%2C/g, ",");
  const fits = text.length <= MAX_ADDRESS;
  const short = fits ? text : text.replace(/&?points=[^&]*/, "");
  window.history.replaceState(window.history.state, "", short ? `#${short}` : location.pathname + location.search);
  return fits;
}

function readAddress() {
  const found = { ...facts.defaults };
  for (const [name, text] of new URLSearchParams(location.hash.slice(1))) {
    if (!(name in found)) continue;
    if (name === "units") found.units = names(text).map(Number);
    else found[name] = typeof facts.defaults[name] === "number" ? Number(text) : text;
  }
  return found;
}

function showChoices() {
  root.querySelectorAll("[data-setting]").forEach((field) => {
    if (field !== document.activeElement || field.type === "range") field.value = config[field.dataset.setting];
    const output = field.parentElement.querySelector("output");
    if (output) output.textContent = Number(config[field.dataset.setting]).toFixed(2);
  });
  root.querySelectorAll("[data-feature]").forEach((box) => { box.checked = names(config.features).includes(box.dataset.feature); });
  const { isOwn, isRegression, maxClasses } = dataset();
  const shown = (name, is) => { find(`[data-setting=${name}]`).closest("label").hidden = !is; };
  shown("num_classes", !isRegression && maxClasses > 2);
  shown("num_points", !isOwn);
  shown("noise", !isOwn);
  find(".pg-own").hidden = !isOwn;
  find(".pg-plane").toggleAttribute("data-own", isOwn);
  find(".pg-decide").hidden = isRegression;
  if (isOwn) showBrush();
  showLegend();
  find("[data-action=add-layer]").disabled = config.units.length >= facts.maxLayers;
  find("[data-action=remove-layer]").disabled = !config.units.length;
}

function showBrush() {
  const box = find(".pg-brush");
  const kind = `${dataset().isRegression} ${numClasses()}`;
  if (box.dataset.kind === kind) return;
  box.dataset.kind = kind;
  brush = dataset().isRegression ? 1 : 0;
  box.innerHTML = dataset().isRegression
    ? '<label class="pg-field"><span>Value</span><input type="range" min="-1" max="1" step="0.1" value="1"><output>1.0</output></label>'
    : Array.from({ length: numClasses() }, (_, index) => `<label class="pg-check"><input type="radio" name="pg-brush" value="${index}" ${index ? "" : "checked"}><i style="background:${colours.ofClass(index)}"></i>class ${index + 1}</label>`).join("");
  box.oninput = (event) => {
    brush = Number(event.target.value);
    const output = box.querySelector("output");
    if (output) output.textContent = brush.toFixed(1);
  };
}

function showLegend() {
  find(".pg-legend").innerHTML = dataset().isRegression
    ? `<span>−1</span><i class="pg-scale" style="background:linear-gradient(90deg, ${colours.ofClass(0)}, var(--pg-neutral), ${colours.ofClass(1)})"></i><span>1</span>`
    : Array.from({ length: numClasses() }, (_, index) => `<span><i style="background:${colours.ofClass(index)}"></i>class ${index + 1}</span>`).join("");
}

function heads() {
  const text = (words) => Object.assign(document.createElement("div"), { className: "pg-head", textContent: words });
  const hidden = config.units.map((size, layer) => {
    const head = document.createElement("div");
    head.className = "pg-head";
    const options = Object.entries(facts.activations).map(([name, title]) => `<option value="${name}">${title}</option>`).join("");
    head.innerHTML = `<select aria-label="Activation of layer ${layer + 1}">${options}</select><div><button type="button" data-change="-1" aria-label="One unit less in layer ${layer + 1}">−</button><span>${size}</span><button type="button" data-change="1" aria-label="One unit more in layer ${layer + 1}">+</button></div>`;
    const select = head.querySelector("select");
    select.value = names(config.activations)[layer];
    select.addEventListener("change", () => {
      set({ activations: names(config.activations).with(layer, select.value).join() });
    });
    head.querySelectorAll("button").forEach((button) => {
      const units = size + Number(button.dataset.change);
      button.disabled = units < 1 || units > facts.maxUnits;
      button.addEventListener("click", async () => {
        await set({ units: config.units.with(layer, units) });
        // The column was drawn anew: whoever goes by keyboard stays on the same button.
        find(`.pg-column:nth-child(${layer + 2}) [data-change="${button.dataset.change}"]`)?.focus();
      });
    });
    return head;
  });
  return [text("given"), ...hidden, text("output")];
}

// --- Drawing

const parts = (bytes, size) => Array.from({ length: bytes.length / size }, (_, index) => bytes.subarray(index * size, (index + 1) * size));

function draw() {
  const features = parts(bytesOf(opened.features.maps), 1024);
  const hidden = parts(bytesOf(frame.maps), 1024);
  const surfaces = parts(bytesOf(frame.surface), 4096);
  let start = 0;
  const maps = opened.sizes.map((size, layer) => {
    if (layer === 0) return features;
    if (layer === opened.sizes.length - 1) return surfaces.map(halved);
    start += size;
    return hidden.slice(start - size, start);
  });
  frame.pictures = maps.map((layer) => layer.map((bytes) => colours.map(bytes)));
  network.draw(parametersOf(), frame.pictures);
  frame.surfaces = surfaces;
  drawPlane();
  drawCurve();
  inspect();
  find(".pg-step").textContent = state.step.toLocaleString("en");
  find(".pg-epoch").textContent = frame.epoch.toLocaleString("en", { maximumFractionDigits: 1 });
  const rows = Object.entries({ train: "Training", test: "Test" }).filter(([name]) => frame.measures[name]);
  find(".pg-measures tbody").innerHTML = rows.map(([name, title]) => {
    const { count, loss, errors } = frame.measures[name];
    return `<tr class="pg-${name}"><th scope="row">${title}</th><td>${count}</td><td>${loss.toFixed(4)}</td><td>${errors ?? "–"}</td></tr>`;
  }).join("");
}

// Every second square of every second row.
function halved(bytes) {
  const side = Math.sqrt(bytes.length) / 2;
  return Uint8Array.from({ length: side * side }, (_, place) => bytes[4 * side * Math.floor(place / side) + 2 * (place % side)]);
}

function drawPlane(more = []) {
  if (!frame) return;
  const decided = find(".pg-decided").checked && !dataset().isRegression;
  const picture = frame.surfaces.length > 1 ? colours.classes(frame.surfaces, decided) : colours.map(frame.surfaces[0], decided);
  plane.draw(picture, [...opened.points, ...more], { isRegression: dataset().isRegression, showTest: find(".pg-test").checked });
}

function drawCurve() {
  const canvas = find(".pg-curve");
  const pen = canvas.getContext("2d");
  const style = getComputedStyle(canvas);
  pen.clearRect(0, 0, canvas.width, canvas.height);
  if (!history.length) return;
  const last = Math.max(1, history.at(-1)[0]);
  const most = Math.max(...history.flatMap(([, train, test]) => [train, test ?? 0])) || 1;
  const [left, top, right, bottom] = [70, 14, canvas.width - 10, canvas.height - 40];
  pen.fillStyle = style.color;
  pen.font = `22px ${style.fontFamily}`;
  pen.textAlign = "right";
  pen.fillText(most.toPrecision(2), left - 10, top + 14);
  pen.fillText("0", left - 10, bottom + 6);
  // The word is that of the counter, in the language of the page.
  pen.fillText(`${find(".pg-counter dt").textContent} ${last.toLocaleString("en")}`, right, bottom + 30);
  pen.strokeStyle = style.getPropertyValue("--border-color-primary");
  pen.lineWidth = 2;
  pen.strokeRect(left, top, right - left, bottom - top);
  [["--lw-training", 1], ["--lw-validation", 2]].forEach(([colour, column]) => {
    pen.strokeStyle = style.getPropertyValue(colour);
    pen.lineWidth = 3.5;
    pen.beginPath();
    history.filter((row) => row[column] !== undefined).forEach((row) => {
      pen.lineTo(left + (row[0] / last) * (right - left), bottom - (row[column] / most) * (bottom - top));
    });
    pen.stroke();
  });
  const { train, test } = frame.measures;
  canvas.setAttribute("aria-label", `Loss by step: now ${train?.loss.toFixed(4) ?? "none"} in training${test ? `, ${test.loss.toFixed(4)} in the test` : ""}`);
}

// --- The chosen unit: its map in large, its numbers to read and to change

function inspect() {
  const box = find(".pg-inspector");
  const { layer, unit } = network.selected();
  const key = JSON.stringify([opened.sizes, config.features, layer, unit]);
  if (box.dataset.key !== key) {
    box.dataset.key = key;
    const field = (label, place, from) => `<label class="pg-number"><span>${label}</span><input type="number" step="any" data-place="${place}" ${from === undefined ? "" : `data-from="${from}"`}></label>`;
    const numbers = layer === 0 ? "" : field("bias", network.biasAt(layer, unit)) + Array.from({ length: opened.sizes[layer - 1] }, (_, from) => field(`from ${network.unitName(layer - 1, from)}`, network.weightAt(layer, from, unit), from)).join("");
    box.innerHTML = `<canvas width="32" height="32" role="img"></canvas><div><h3></h3><p></p><div class="pg-numbers">${numbers}</div></div>`;
    box.querySelector("h3").textContent = network.unitName(layer, unit).replace(/^[lo]/, (letter) => letter.toUpperCase());
  }
  const picture = frame.pictures?.[layer]?.[unit];
  if (!picture) return;
  const canvas = box.querySelector("canvas");
  canvas.getContext("2d").putImageData(picture, 0, 0);
  canvas.setAttribute("aria-label", `Map of ${network.unitName(layer, unit)} over the plane`);
  box.querySelector("p").textContent = sentence(layer, unit);
  const parameters = parametersOf();
  box.querySelectorAll("input").forEach((input) => {
    if (input !== document.activeElement) input.value = Number(parameters[input.dataset.place].toPrecision(4));
  });
}

function sentence(layer, unit) {
  if (layer === 0) return `Full colour is ±${opened.features.scales[unit].toFixed(2)}.`;
  if (layer === opened.sizes.length - 1) {
    if (dataset().isRegression) return "The value that the network answers.";
    return opened.sizes[layer] === 1 ? "The probability of class 2." : `The probability of class ${unit + 1}.`;
  }
  const before = opened.sizes.slice(1, layer).reduce((sum, size) => sum + size, 0);
  const activation = names(config.activations)[layer - 1];
  return `${facts.activations[activation]} of the bias and the weighted sum. Full colour is ±${frame.scales[before + unit].toFixed(2)}.`;
}

async function changeParameter(place, value) {
  if (!Number.isFinite(value) || opening) return inspect();
  const parameters = parametersOf();
  parameters[place] = value;
  change++;
  state = { ...state, parameters: btoa(String.fromCharCode(...new Uint8Array(parameters.buffer))) };
  if (playing) return;
  const answer = await ask("advance", { state, steps: 0 });
  if (!answer) return;
  take(answer);
  draw();
}

// --- Keeping, giving away, going on

async function download() {
  const answer = await ask("export", { state });
  if (!answer) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytesOf(answer.zip)], { type: "application/zip" }));
  link.download = answer.name;
  link.click();
  URL.revokeObjectURL(link.href);
}

async function copyLink() {
  const whole = writeAddress();
  try {
    await navigator.clipboard.writeText(location.href);
    say(whole ? "The link is copied." : "The link is copied without your points: there are too many for an address.");
  } catch {
    say("The browser does not let a page copy. The link is in the address bar.");
  }
}

async function toMicroscope() {
  const answer = await ask("microscope", { state });
  if (!answer) return;
  sessionStorage.setItem("layerwise-network", JSON.stringify(answer));
  location.href = "./microscope";
}

async function readFile(file) {
  if (!file) return;
  const answer = await ask("read_points", { text: await file.text(), config });
  if (!answer) return;
  strokes = [];
  await set({ points: answer.points, ...(answer.labels.length ? { num_classes: Math.max(2, answer.labels.length) } : {}) });
  const labels = answer.labels.map((label, index) => `class ${index + 1} is “${label}”`).join(", ");
  say([`${opened.points.length} points.`, labels && `${labels[0].toUpperCase()}${labels.slice(1)}.`, answer.remark].filter(Boolean).join(" "));
}

const ACTIONS = {
  play: () => (playing ? pause() : play()),
  step: oneStep,
  reset() {
    say("");
    return open();
  },
  undo() {
    const before = strokes.pop() ?? Math.max(0, ownPoints().length - 1);
    setPoints(ownPoints().slice(0, before));
  },
  clear() {
    strokes = [];
    set({ points: "" });
  },
  "add-layer": () => set({ units: [...config.units, config.units.at(-1) ?? 4], activations: [...names(config.activations), names(config.activations).at(-1) ?? "tanh"].join() }),
  "remove-layer": () => set({ units: config.units.slice(0, -1), activations: names(config.activations).slice(0, -1).join() }),
  copy: copyLink,
  export: download,
  microscope: toMicroscope,
};

root.addEventListener("click", (event) => ACTIONS[event.target.closest("[data-action]")?.dataset.action]?.());
root.addEventListener("change", (event) => {
  const { target } = event;
  const name = target.dataset.setting;
  if (name === "data") {
    strokes = [];
    pause();
    set({ data: target.value, points: "" });
  } else if (name) {
    if (target.checkValidity() && target.value !== "") set({ [name]: typeof facts.defaults[name] === "number" ? Number(target.value) : target.value });
    else target.reportValidity();
  } else if (target.dataset.feature) {
    const chosen = [...root.querySelectorAll("[data-feature]:checked")].map((box) => box.dataset.feature);
    if (chosen.length) set({ features: chosen.join() });
    else target.checked = true;
  } else if (target.dataset.place) changeParameter(Number(target.dataset.place), target.valueAsNumber);
  else if (target.matches(".pg-test, .pg-decided")) drawPlane();
  else if (target.matches(".pg-file")) readFile(target.files[0]);
});
root.addEventListener("input", (event) => {
  const output = event.target.dataset.setting && event.target.parentElement.querySelector("output");
  if (output) output.textContent = Number(event.target.value).toFixed(2);
});
const fromAddress = () => {
  pause();
  say("");
  strokes = [];
  config = readAddress();
  showChoices();
  open();
};
const onHidden = () => {
  if (!root.isConnected) return document.removeEventListener("visibilitychange", onHidden);
  if (!document.hidden && playing) run();
};
document.addEventListener("visibilitychange", onHidden);
window.addEventListener("hashchange", fromAddress);
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTimeout(() => {
  colours.read();
  draw();
}));
// A page that is loaded again, or come back to from the microscope, goes on where it was.
window.addEventListener("pagehide", () => {
  if (state) sessionStorage.setItem(KEPT, JSON.stringify({ state, history, address: location.hash }));
});

function first() {
  colours.read();
  config = readAddress();
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  const same = kept && kept.address === location.hash;
  if (same) {
    config = kept.state.config;
    history = kept.history;
  }
  showChoices();
  return open(same ? kept.state : null);
}
first();
