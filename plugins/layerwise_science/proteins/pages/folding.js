// Asks for what follows from the settings and shows it. Python computes; the chain is kept here and sent with each
// question.
const part = (name) => element.querySelector(`[data-part="${name}"]`);
const space = new Space(part("space"));
const LEVELS = {
  noise: { values: [0, 0.5, 1, 1.5, 2, 3, 4, 5, 6, 8], label: "error of each distance, Å" },
  missing: { values: [0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.96, 0.98], label: "distances that are missing", percent: true },
  longest: { values: [5, 6, 7, 8, 9, 10, 12, 14, 17, 20, 25, 30], label: "longest known distance, Å" },
};
const LARGEST_FILE = 24 * 2 ** 20;
let chain, shown;
let seed = 0;
let isAsking = false;
let asksAgain = false;
let measuring = 0;

async function ask(name, question) {
  try {
    return (await server[name](question)) ?? { error: "The server did not answer. Is it still running?" };
  } catch {
    return { error: "The server did not answer. Is it still running?" };
  }
}

function say(error) {
  part("note").hidden = !error;
  part("note").textContent = error ?? "";
}

function settings() {
  const controls = [...element.querySelectorAll("[data-setting]")];
  return { ...Object.fromEntries(controls.map((control) => [control.dataset.setting, control.value])), seed: String(seed) };
}

async function open(question) {
  const answer = await ask("open_chain", question);
  say(answer.error);
  if (answer.error) return;
  chain = answer;
  measuring++;
  part("curve").replaceChildren();
  await fold();
}

async function fold() {
  if (isAsking) {
    asksAgain = true;
    return;
  }
  isAsking = true;
  do {
    asksAgain = false;
    const answer = await ask("fold_again", { chain, settings: settings() });
    say(answer.error);
    if (!answer.error) show(answer);
  } while (asksAgain && element.isConnected);
  isAsking = false;
}

function show(answer) {
  shown = { ...answer, known: Uint8Array.from(atob(answer.known), (letter) => letter.charCodeAt(0)) };
  const known = shown.known.filter((step) => step !== 255);
  shown.most = Math.max(1, known.reduce((most, step) => Math.max(most, step), 0) / 4);
  part("most").textContent = `${Math.round(shown.most)} Å`;
  const { found, other, scaled } = answer.rmsds;
  const rows = [["found", found], ["its mirror image", other], ["by scaling alone, before the descent (the nearer hand)", scaled]];
  part("rows").innerHTML = rows.map(([what, value]) => `<tr><td>${what}</td><td>${value.toFixed(2)} Å</td></tr>`).join("");
  const share = `${(100 * answer.share).toFixed(answer.share > 0.995 ? 0 : 1)} % of the distances`;
  part("said").textContent = `${chain.title}: ${chain.coordinates.length} residues, found from ${share}, ${found.toFixed(2)} Å from the truth. ${chain.note}`;
  part("hand").textContent = hand(answer);
  const points = answer.stresses.map((y, x) => ({ x, y }));
  if (points.length > 1) drawCurve(part("stress"), points, { xLabel: "step", yLabel: "stress, Å" });
  else part("stress").innerHTML = `<p class="fold-text">The stress is ${digits(points[0].y)} Å: there was nothing to descend.</p>`;
  draw();
}

function hand({ twist, rmsds }) {
  if (Math.abs(twist) < 0.05) return "The found trace has no clear helix, so nothing tells the two hands apart: which of them is shown is chance.";
  const turned = twist < 0 ? "Its helices came out left-handed, so it was mirrored" : "Its helices came out right-handed, so it was left as it is";
  return `${turned}. ${rmsds.found <= rmsds.other ? "That is the true hand." : "That is not the true hand: its helices are spoilt by what is not known."}`;
}

function draw() {
  const chosen = element.querySelector("[name=fold-shown]:checked").value;
  space.show([{ points: chain.coordinates, isTrue: true }, { points: shown[chosen], isTrue: false }]);
  drawMap(part("map"), shown.known, shown[chosen], shown.most);
  part("space").ariaLabel = `The structure in space, ${shown.rmsds[chosen].toFixed(2)} Å from the true one`;
  part("map").ariaLabel = `The map of ${chain.coordinates.length} by ${chain.coordinates.length} distances, up to ${Math.round(shown.most)} Å, of which ${Math.round(100 * shown.share)} % were given`;
}

async function measure(button) {
  const token = ++measuring;
  const { values, label, percent } = LEVELS[button.dataset.along];
  const points = [];
  button.setAttribute("aria-busy", "true");
  for (const value of values) {
    const answer = await ask("measure", { chain, settings: settings(), along: button.dataset.along, value });
    if (token !== measuring || !element.isConnected) break;
    say(answer.error);
    if (answer.error) break;
    const [low, y, high] = answer.rmsds.sort((one, other) => one - other);
    points.push({ x: value, y, low, high });
    if (points.length > 1) drawCurve(part("curve"), points, { xLabel: label, yLabel: "RMSD, Å (dashed: 1 Å)", bar: 1, percent });
  }
  button.removeAttribute("aria-busy");
}

async function openFile() {
  const [file] = part("file").files;
  if (!file) return;
  if (file.size > LARGEST_FILE) {
    say("The file is too large. Expected: at most 24 MiB.");
    return;
  }
  part("name").value = "";
  await open({ file: await file.text(), title: file.name, chain: part("chain").value });
}

element.addEventListener("submit", (event) => event.preventDefault());
element.addEventListener("input", (event) => {
  const control = event.target;
  if (!control.dataset.setting) return;
  control.parentElement.querySelector("output").textContent = control.dataset.setting === "missing" ? `${Math.round(100 * control.value)} %` : control.value;
  if (chain) fold();
});
element.addEventListener("change", (event) => {
  if (event.target === part("name")) {
    part("file").value = "";
    open({ name: part("name").value });
  } else if (event.target === part("file") || event.target === part("chain")) openFile();
  else if (event.target.name === "fold-shown") draw();
});
element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-action]");
  if (!button || !chain) return;
  if (button.dataset.action === "redraw") {
    seed = (seed + 1) % 100;
    fold();
  } else measure(button);
});
open({ name: part("name").value });
