// What pages with experiments have in common: a section reads its controls, asks the server what follows from them, and
// shows it, at once or step by step, when a control is turned or a button is pressed. The page's own script, which
// follows this one, says by `about(section)` which experiment it is.
const part = (name, within = element) => within.querySelector(`[data-part="${name}"]`);
const running = new Map(); // Experiments that take long: their sections, and the tokens by which the server knows them.
const asking = new Map(); // Sections that wait for an answer, and whether they have to ask again.

async function ask(name, argument) {
  try {
    return (await server[name](argument)) ?? { error: "The server did not answer. Is it still running?" };
  } catch {
    return { error: "The server did not answer. Is it still running?" };
  }
}

function read(control) {
  if (control.type === "checkbox") return String(control.checked);
  if (control.type !== "range") return control.value;
  const place = Number(control.value);
  // Where a slider began it stands for the very number that it began with, which may lie between two of its places.
  if (Math.abs(place - Number(control.defaultValue)) <= Number(control.step) / 2) return control.dataset.value;
  const value = "log" in control.dataset ? Number((10 ** place).toPrecision(2)) : Number(place.toPrecision(4));
  return String("whole" in control.dataset ? Math.round(value) : value);
}

function settingsOf(section) {
  const controls = [...section.querySelectorAll("[data-setting]")];
  return Object.fromEntries(controls.map((control) => [control.dataset.setting, read(control)]));
}

function failed(answer) {
  return Boolean(answer.error || answer.refused);
}

function say(section, answer) {
  const note = part("note", section);
  note.hidden = !answer.error;
  note.textContent = answer.error ?? "";
  for (const field of section.querySelectorAll(".lw-field")) {
    const control = field.querySelector("[data-setting]");
    const said = field.querySelector(".lw-refused");
    const wrong = answer.refused?.[control.dataset.setting] ?? "";
    if (said.textContent !== wrong) said.textContent = wrong;
    said.hidden = !wrong;
    control.setCustomValidity(wrong);
    control.ariaInvalid = wrong ? "true" : null;
  }
  // What was shown before stays, paler.
  const shown = part("shown", section);
  shown.classList.toggle("lw-outdated", failed(answer));
  if (typeof answer.html === "string") {
    // The page must not jump while what is shown is exchanged.
    shown.style.minHeight = `${shown.offsetHeight}px`;
    shown.innerHTML = answer.html;
    requestAnimationFrame(() => (shown.style.minHeight = ""));
  }
}

async function show(section) {
  if (asking.has(section)) {
    asking.set(section, true);
    return;
  }
  do {
    asking.set(section, false);
    say(section, await ask("show", { ...about(section), settings: settingsOf(section) }));
  } while (asking.get(section) && section.isConnected);
  asking.delete(section);
}

async function run(section) {
  const token = crypto.getRandomValues(new Uint32Array(4)).join("-");
  stop(section);
  running.set(section, token);
  const [start, end] = ["run", "stop"].map((action) => section.querySelector(`[data-action=${action}]`));
  end.hidden = false;
  start.setAttribute("aria-busy", "true");
  let answer = await ask("begin", { ...about(section), settings: settingsOf(section), token });
  while (!failed(answer) && running.get(section) === token && section.isConnected) {
    answer = await ask("more", { token });
    if (running.get(section) !== token) return;
    if (answer.html === null) break;
    say(section, answer);
    // Nobody looks: the server need not compute.
    while (document.hidden) await new Promise((resolve) => setTimeout(resolve, 300));
  }
  if (failed(answer)) say(section, answer);
  if (running.get(section) !== token) return;
  running.delete(section);
  end.hidden = true;
  start.removeAttribute("aria-busy");
}

function stop(section) {
  const token = running.get(section);
  if (!token) return;
  running.delete(section);
  section.querySelector("[data-action=stop]").hidden = true;
  section.querySelector("[data-action=run]").removeAttribute("aria-busy");
  ask("more", { token, stop: true });
}

element.addEventListener("submit", (event) => event.preventDefault());
element.addEventListener("input", (event) => {
  const control = event.target;
  const section = control.closest("[data-experiment]");
  if (!section) return;
  if (control.type === "range") control.parentElement.querySelector("output").textContent = read(control);
  if (!section.querySelector("[data-action=run]")) show(section);
});
element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-action]");
  const section = button?.closest("[data-experiment]");
  if (section) ({ run, stop })[button.dataset.action](section);
});

// Keeps the settings in the address, so that a link leads to them.
function rememberSettings() {
  element.addEventListener("input", (event) => {
    const section = event.target.closest("[data-experiment]");
    if (section) remember(section);
  });
}

function remember(section) {
  const address = new URL(window.location);
  for (const control of section.querySelectorAll("[data-setting]")) {
    const name = `${section.dataset.experiment}.${control.dataset.setting}`;
    const value = read(control);
    if (Number(value) === Number(control.dataset.default) || value === control.dataset.default) address.searchParams.delete(name);
    else address.searchParams.set(name, value);
  }
  history.replaceState(history.state, "", address);
}

// The settings in the address, by the names of their experiments.
function rememberedSettings() {
  const settings = {};
  for (const [name, value] of new URLSearchParams(window.location.search)) {
    const [experiment, setting] = name.split(".");
    if (setting) (settings[experiment] ??= {})[setting] = value;
  }
  return settings;
}
