// Draws the network and walks through its numbers. Python computes and explains all of them; the network that is looked
// at is kept here and sent with each question.
const KEPT = "layerwise-network";
const STEPS = ["forward", "loss", "backward", "update"];
const TITLES = { forward: "forward pass", loss: "loss", backward: "backward pass", update: "update" };
const PACE = 1500;
const BOX = { width: 150, row: 24, gap: 26, apart: 186 };
const SHARES = [[0.6], [0.44, 0.79], [0.29, 0.55, 0.81]]; // Where along a line its numbers are, by the units that it may come from.
const MOST_LABELS = 12; // Weights between two layers whose numbers are all written.
const part = (name) => element.querySelector(`[data-part="${name}"]`);
const wait = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
let problem, sizes, numbers, places, start;
let losses = [];
let position = 0;
let example = 0;
let playing = 0;
let asked = 0;

const key = (name, index) => `${name}|${index.join(",")}`;
const depth = () => sizes.length - 1;
const activation = (layer) => (layer === depth() ? "output" : `a_${layer}`);

function digits(value) {
  const size = Math.abs(value);
  if (size && (size < 0.001 || size >= 100000)) return value.toExponential(1).replace("-", "−").replace("e+", "e");
  return String(Number(value.toPrecision(3))).replace("-", "−");
}

// ---- What there is to look at

async function load(question) {
  const answer = await server.look(question);
  part("note").hidden = !answer.error;
  part("note").textContent = answer.error ?? "";
  if (answer.error) return false;
  ({ problem, sizes, numbers } = answer);
  places = new Map(numbers.map(([, name, index], at) => [key(name, index), at]));
  losses.push(...answer.losses);
  return true;
}

async function begin(question) {
  stop();
  losses = [];
  if (!(await load(question))) return;
  start = problem;
  example = position = 0;
  fill(part("example"), problem.inputs.map((_, at) => [at, `${at + 1} of ${problem.inputs.length}`]));
  part("examples").hidden = problem.inputs.length < 2;
  fillForm();
  listNumbers();
  show();
}

async function train(steps) {
  stop();
  if (steps === 0) {
    losses = [];
    await load({ problem: start });
  } else await load({ problem, steps });
  show();
}

function fill(select, options) {
  select.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
}

function listNumbers() {
  const groups = STEPS.map((step) => {
    const group = document.createElement("optgroup");
    group.label = TITLES[step];
    numbers.forEach(([of, name, index], at) => {
      if (of === step) group.append(new Option(where(name, index), at));
    });
    return group;
  });
  part("number").replaceChildren(...groups);
}

// "dL/dW_1" at [0, 1]: "gradient of the weight from input 1 to unit 2 of layer 1"
function where(name, index) {
  const [what, moment] = name.replace("dL/d", "").split(" ");
  const [letter, number] = what.split("_");
  const layer = Number(number);
  const of = (at, unit) => (at === 0 ? `input ${unit + 1}` : at === depth() ? `output ${unit + 1}` : `unit ${unit + 1} of layer ${at}`);
  const unit = index.at(-1);
  let text = {
    W: () => `weight from ${of(layer - 1, index[0])} to ${of(layer, unit)}`,
    b: () => `bias of ${of(layer, unit)}`,
    z: () => `weighted sum z of ${of(layer, unit)}`,
    a: () => (layer ? `activation a of ${of(layer, unit)}` : of(0, unit)),
    output: () => of(depth(), unit),
    targets: () => `target of ${of(depth(), unit)}`,
    probabilities: () => `probability of ${of(depth(), unit)}`,
    losses: () => "loss of the example",
    loss: () => "loss of the batch",
  }[letter]();
  if (name.startsWith("dL")) text = `gradient of the ${text}`;
  if (moment) text += `, ${moment} the update`;
  const own = index.length === 2 && letter !== "W" ? index[0] : letter === "losses" ? index[0] : null;
  return problem.inputs.length > 1 && own !== null ? `${text}, example ${own + 1}` : text;
}

// ---- The drawing: a box a unit, with a line for each of its numbers and their gradients

function rows(layer, unit) {
  const at = [example, unit];
  if (layer === 0) return [["x", "a_0", "dL/da_0", at]];
  const own = activation(layer);
  const found = [
    ["b", `b_${layer}`, `dL/db_${layer}`, [unit]],
    ["z", `z_${layer}`, `dL/dz_${layer}`, at],
    [layer === depth() ? "ŷ" : "a", own, `dL/d${own}`, at],
  ];
  if (layer < depth()) return found;
  if (problem.loss === "cross_entropy") found.push(["p", "probabilities", "", at]);
  return [...found, ["y", "targets", "", at]];
}

function draw() {
  const columns = sizes.map((size, layer) =>
    Array.from({ length: size }, (_, unit) => ({ title: heading(layer, unit), layer, unit, rows: rows(layer, unit) })),
  );
  columns.push([{ title: "loss", layer: depth() + 1, unit: 0, rows: [["Lₙ", "losses", "", [example]], ["L", "loss", "", []]] }]);
  const high = (box) => BOX.row * (box.rows.length + 1) + 6;
  const tall = (boxes) => boxes.reduce((sum, box) => sum + high(box) + BOX.gap, -BOX.gap);
  const height = Math.max(...columns.map(tall)) + 16;
  const width = columns.length * (BOX.width + BOX.apart) - BOX.apart + 16;
  columns.forEach((boxes, column) => {
    let top = (height - tall(boxes)) / 2;
    for (const box of boxes) {
      Object.assign(box, { x: 8 + column * (BOX.width + BOX.apart), y: top, height: high(box) });
      top += box.height + BOX.gap;
    }
  });
  const lines = columns.slice(1).flatMap((boxes, layer) => boxes.flatMap((box) => columns[layer].map((from) => edge(from, box))));
  const labels = columns.slice(1, -1).flatMap((boxes, layer) =>
    boxes.flatMap((box) => columns[layer].map((from) => label(from, box, boxes.length * columns[layer].length > MOST_LABELS))),
  );
  part("network").innerHTML =
    `<svg viewBox="0 0 ${width} ${height}" style="max-width:${width}px;min-width:${Math.round(width * 0.74)}px">` +
    `${lines.join("")}${columns.flat().map(boxOf).join("")}${labels.join("")}</svg>`;
}

function heading(layer, unit) {
  if (layer === 0) return `input ${unit + 1}`;
  const name = layer === depth() ? problem.output_activation : problem.activations[layer - 1];
  return `${layer === depth() ? "output" : "unit"} ${unit + 1} · ${name.replace("_", " ")}`;
}

function boxOf(box) {
  const lines = box.rows.map(([letter, name, gradient, index], row) => {
    const y = box.y + BOX.row * (row + 2) - 7;
    return (
      `<text class="letter" x="${box.x + 9}" y="${y}">${letter}</text>` +
      field(box.x + 24, y, 60, shownName(name), index, "value") +
      (gradient ? field(box.x + 86, y, 60, gradient, index, "gradient") : "")
    );
  });
  return (
    `<g class="unit" data-layer="${box.layer}" data-unit="${box.unit}"><rect class="box" x="${box.x}" y="${box.y}" width="${BOX.width}" height="${box.height}" rx="9"/>` +
    `<text class="heading" x="${box.x + 9}" y="${box.y + 18}">${box.title}</text>${lines.join("")}</g>`
  );
}

// Weights and biases are shown as they are after the update once they are computed.
function shownName(name) {
  return /^[Wb]_/.test(name) ? `${name} after` : name;
}

function field(x, y, width, name, index, kind) {
  if (!places.has(key(name, index))) return "";
  return (
    `<g class="number ${kind}" data-key="${key(name, index)}"><rect x="${x}" y="${y - 16}" width="${width}" height="22" rx="5"/>` +
    `<text x="${x + width / 2}" y="${y}"></text></g>`
  );
}

function ends(from, to) {
  return [from.x + BOX.width, from.y + from.height / 2, to.x, to.y + to.height / 2];
}

function edge(from, to) {
  const [x1, y1, x2, y2] = ends(from, to);
  const isWeight = to.layer <= depth();
  const name = isWeight ? `data-weight="${to.layer}|${from.unit},${to.unit}"` : "";
  const weight = isWeight ? problem.weights[to.layer - 1][from.unit][to.unit] : 0;
  const thickness = isWeight ? 1 + Math.min(5, 2 * Math.abs(weight)) : 1;
  const sign = isWeight ? (weight < 0 ? "negative" : "positive") : "given";
  return `<line class="edge ${sign}" ${name} x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke-width="${thickness}"/>`;
}

function label(from, to, isCrowded) {
  const [x1, y1, x2, y2] = ends(from, to);
  // Lines from one unit have parted from each other; those from its neighbours are labelled at another place.
  const shares = SHARES[Math.min(sizes[from.layer], SHARES.length) - 1];
  // Lines that end in a single unit are apart where they begin.
  const share = sizes[to.layer] === 1 ? 0.4 : shares[from.unit % shares.length];
  const [x, y] = [x1 + share * (x2 - x1), y1 + share * (y2 - y1)];
  const index = [from.unit, to.unit];
  return (
    `<g class="label${isCrowded ? " crowded" : ""}" data-weight="${to.layer}|${index}">` +
    field(x - 29, y - 2, 58, `W_${to.layer} after`, index, "value") +
    field(x - 29, y + 20, 58, `dL/dW_${to.layer}`, index, "gradient") +
    "</g>"
  );
}

function write() {
  for (const group of part("network").querySelectorAll("[data-key]")) {
    const at = places.get(group.dataset.key);
    const [step, name, index, value] = numbers[at];
    const isAfter = name.endsWith("after");
    const isKnown = at <= position;
    let text = isKnown ? digits(value) : "·";
    if (isAfter && !isKnown) {
      const [letter, layer] = name.split(" ")[0].split("_");
      const array = (letter === "W" ? problem.weights : problem.biases)[layer - 1];
      text = digits(index.reduce((inner, one) => inner[one], array));
    }
    group.querySelector("text").textContent = text;
    group.classList.toggle("unknown", !isKnown && !isAfter);
    group.classList.toggle("new", isAfter && isKnown && step === "update");
  }
}

function highlight(sources) {
  const network = part("network");
  network.querySelectorAll(".focus, .source").forEach((marked) => marked.classList.remove("focus", "source"));
  const mark = (name, index, kind) => {
    const shown = name.replace("before", "after");
    network.querySelector(`[data-key="${key(shown, index)}"]`)?.classList.add(kind);
    const weight = name.match(/W_(\d+)/);
    if (weight) network.querySelectorAll(`[data-weight="${weight[1]}|${index}"]`).forEach((line) => line.classList.add(kind));
  };
  sources.forEach(([name, index]) => mark(name, index, "source"));
  const [, name, index] = numbers[position];
  mark(name, index, "focus");
  const box = network.querySelector(".number.focus")?.getBoundingClientRect();
  if (!box) return;
  const frame = network.getBoundingClientRect();
  if (box.left < frame.left + 8 || box.right > frame.right - 8) {
    network.scrollBy({ left: box.left - frame.left - frame.width / 2, behavior: wait });
  }
}

// ---- Where we are

async function show() {
  const [step, name, index, value] = numbers[position];
  const isOfExample = index.length === 2 && !name.includes("W_") ? index[0] : name === "losses" ? index[0] : example;
  example = isOfExample;
  part("example").value = example;
  draw();
  write();
  highlight([]);
  part("number").value = position;
  part("position").textContent = `${position + 1} of ${numbers.length}`;
  part("where").textContent = `${TITLES[step]}: ${where(name, index)}`;
  part("value").textContent = `= ${digits(value)}`;
  for (const button of part("steps").querySelectorAll("button")) {
    if (button.dataset.step === step) button.setAttribute("aria-current", "step");
    else button.removeAttribute("aria-current");
  }
  const isEnd = { first: position === 0, previous: position === 0, next: position === numbers.length - 1, last: position === numbers.length - 1 };
  for (const [move, disabled] of Object.entries(isEnd)) element.querySelector(`[data-move="${move}"]`).setAttribute("aria-disabled", disabled);
  showLoss();
  const question = ++asked;
  const answer = await server.tell({ problem, name, index });
  if (question !== asked) return; // Another number was chosen meanwhile.
  part("symbol").innerHTML = answer.symbol ?? "";
  part("text").innerHTML = answer.html ?? "";
  if (answer.error) part("text").textContent = answer.error;
  const sources = answer.sources ?? [];
  highlight(sources);
  part("text").querySelectorAll("[data-source]").forEach((button) => {
    const [from, at] = sources[button.dataset.source];
    button.addEventListener("click", () => go(places.get(key(from, at))));
  });
}

function showLoss() {
  const now = numbers[places.get("loss|")][3];
  const last = losses.at(-1);
  part("loss").textContent = losses.length
    ? `After ${losses.length} ${losses.length === 1 ? "step" : "steps"} the loss is ${digits(now)}; one step before it was ${digits(last)}.`
    : `The loss is ${digits(now)}. The next step begins with the weights after the update.`;
  part("curve").toggleAttribute("hidden", !losses.length);
  const all = [...losses, now];
  const [most, least] = [Math.max(...all), Math.min(0, ...all)];
  const x = (at) => 46 + (at / Math.max(1, all.length - 1)) * 540;
  const y = (loss) => 12 + (1 - (loss - least) / (most - least || 1)) * 76;
  const points = all.map((loss, at) => `${x(at)},${y(loss)}`);
  const dots = all.length < 40 ? points.map((point) => `<circle cx="${point.split(",")[0]}" cy="${point.split(",")[1]}" r="3.5"/>`) : [];
  part("curve").innerHTML =
    `<path d="M46 12V88H586"/><text x="40" y="16" text-anchor="end">${digits(most)}</text><text x="40" y="92" text-anchor="end">${digits(least)}</text>` +
    `<text x="46" y="106">0</text><text x="586" y="106" text-anchor="end">${all.length - 1} steps</text>` +
    `<polyline points="${points.join(" ")}"/>${dots.join("")}`;
}

function go(to) {
  if (to === undefined || Number.isNaN(to)) return;
  position = Math.max(0, Math.min(numbers.length - 1, to));
  show();
}

function move(how) {
  if (how === "play") return playing ? stop() : play();
  stop();
  go({ first: 0, previous: position - 1, next: position + 1, last: numbers.length - 1 }[how]);
}

function play() {
  if (position === numbers.length - 1) go(0);
  playing = setInterval(() => {
    if (document.hidden) return;
    if (!element.isConnected || position === numbers.length - 1) return stop();
    go(position + 1);
  }, PACE);
  tellPlaying();
}

function stop() {
  clearInterval(playing);
  playing = 0;
  tellPlaying();
}

function tellPlaying() {
  const button = element.querySelector('[data-move="play"]');
  button.setAttribute("aria-pressed", Boolean(playing));
  button.textContent = playing ? "Pause" : "Play";
}

// The number of a unit that belongs to the step that is looked at.
function ofUnit(layer, unit) {
  const step = numbers[position][0];
  const candidates = {
    forward: [[activation(layer), [example, unit]]],
    loss: [["losses", [example]]],
    backward: [[`dL/dz_${layer}`, [example, unit]]],
    update: [[`b_${layer} after`, [unit]]],
  };
  const wanted = layer > depth() ? [["loss", []]] : [...candidates[step], [`dL/da_${layer}`, [example, unit]], ["a_0", [example, unit]]];
  return wanted.map(([name, index]) => places.get(key(name, index))).find((at) => at !== undefined);
}

function ofWeight(weight) {
  const [layer, index] = weight.split("|");
  const name = numbers[position][0] === "update" ? `W_${layer} after` : `dL/dW_${layer}`;
  return places.get(`${name}|${index}`);
}

// ---- A network of one's own

function fillForm() {
  const form = part("form");
  form.sizes.value = sizes.join(", ");
  choices(sizes.length - 2, problem.activations);
  for (const name of ["output_activation", "loss", "learning_rate"]) form[name].value = problem[name];
  const lines = (array) => array.map((row) => [row].flat().join(", ")).join("\n");
  form.inputs.value = lines(problem.inputs);
  form.targets.value = lines(problem.targets);
  part("json").value = JSON.stringify(problem);
}

function choices(count, chosen) {
  const selects = Array.from({ length: Math.max(0, Math.min(7, count)) }, (_, at) => {
    const select = part("activation").content.firstElementChild.cloneNode(true);
    select.setAttribute("aria-label", `Activation of hidden layer ${at + 1}`);
    select.value = chosen[at] ?? chosen[0] ?? "tanh";
    return select;
  });
  part("activations").querySelector("span").replaceChildren(...selects);
  part("activations").hidden = !selects.length;
}

const chosen = () => [...part("activations").querySelectorAll("select")].map((select) => select.value);

part("form").sizes.addEventListener("change", (event) => {
  choices(event.target.value.split(/[,;\s]+/).filter(Boolean).length - 2, chosen());
});
part("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const values = Object.fromEntries(new FormData(event.target));
  begin({ form: { ...values, activations: chosen() } });
});
part("use").addEventListener("click", () => {
  let parts = null;
  try {
    parts = JSON.parse(part("json").value);
  } catch {
    // Python says what it should be.
  }
  begin({ problem: parts });
});

// ---- What was done

part("preset").addEventListener("change", (event) => {
  const kept = event.target.value === KEPT;
  begin(kept ? { problem: JSON.parse(sessionStorage.getItem(KEPT)) } : { preset: event.target.value });
});
part("example").addEventListener("change", (event) => {
  stop();
  const [, name, index] = numbers[position];
  example = Number(event.target.value);
  const own = [example, ...index.slice(1)];
  go(name.includes("W_") || !index.length ? position : (places.get(key(name, own)) ?? position));
});
part("number").addEventListener("change", (event) => {
  stop();
  go(Number(event.target.value));
});
part("steps").addEventListener("click", (event) => {
  const step = event.target.closest("button")?.dataset.step;
  if (!step) return;
  stop();
  go(numbers.findIndex(([of]) => of === step));
});
element.addEventListener("click", (event) => {
  const data = event.target.closest("button")?.dataset ?? {};
  if (data.move) move(data.move);
  if (data.train) train(Number(data.train));
});
part("network").addEventListener("click", (event) => {
  stop();
  const at = (selector) => event.target.closest(selector)?.dataset;
  const number = at("[data-key]");
  const weight = at("[data-weight]");
  const unit = at("[data-unit]");
  if (number) go(places.get(number.key));
  else if (weight) go(ofWeight(weight.weight));
  else if (unit) go(ofUnit(Number(unit.layer), Number(unit.unit)));
});
element.addEventListener("keydown", (event) => {
  if (event.target.matches("input, select, textarea") || event.ctrlKey || event.altKey || event.metaKey) return;
  const how = { ArrowRight: "next", ArrowLeft: "previous", Home: "first", End: "last" }[event.key];
  if (!how) return;
  event.preventDefault();
  move(how);
});

let kept = null;
try {
  kept = JSON.parse(sessionStorage.getItem(KEPT));
} catch {
  // Nothing that can be read.
}
if (kept) {
  part("preset").prepend(new Option("from the playground", KEPT));
  part("preset").value = KEPT;
}
begin(kept ? { problem: kept } : { preset: part("preset").value });
