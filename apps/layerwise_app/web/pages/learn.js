// Opens the lesson that stands in the address, keeps the settings of its experiments there, and asks the server what
// follows from them: at each move of a control, or step by step after a button.
const part = (name, within = element) => within.querySelector(`[data-part="${name}"]`);
const title = document.title;
const running = new Map(); // Experiments that take long: their sections, and the tokens by which the server knows them.
const asking = new Map(); // Sections that wait for an answer, and whether they have to ask again.
let opened = null;
let typed = 0;

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
  const number = Number(control.value);
  const value = "log" in control.dataset ? 10 ** number : number;
  return String("whole" in control.dataset ? Math.round(value) : Number(value.toPrecision(4)));
}

function settingsOf(section) {
  const controls = [...section.querySelectorAll("[data-setting]")];
  return Object.fromEntries(controls.map((control) => [control.dataset.setting, read(control)]));
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

function say(section, answer) {
  const note = part("note", section);
  note.hidden = !answer.error;
  note.textContent = answer.error ?? "";
  const shown = part("shown", section);
  shown.classList.toggle("lw-outdated", Boolean(answer.error));
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
    say(section, await ask("show", { lesson: opened, experiment: section.dataset.experiment, settings: settingsOf(section) }));
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
  const settings = settingsOf(section);
  let answer = await ask("begin", { lesson: opened, experiment: section.dataset.experiment, settings, token });
  while (!answer.error && running.get(section) === token && section.isConnected) {
    answer = await ask("more", { token });
    if (running.get(section) !== token) return;
    if (!answer.error && answer.html === null) break;
    say(section, answer);
    // Nobody looks: the server need not compute.
    while (document.hidden) await new Promise((resolve) => setTimeout(resolve, 300));
  }
  if (answer.error) say(section, answer);
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

async function open(moved) {
  const address = new URLSearchParams(window.location.search);
  const lesson = address.get("lesson");
  [...running.keys()].forEach(stop);
  part("contents").hidden = Boolean(lesson);
  part("problem").hidden = true;
  opened = lesson;
  if (!lesson) {
    part("lesson").innerHTML = "";
    document.title = title.startsWith("Learn") ? title : "Learn - Layerwise";
    if (address.get("ask")) {
      part("question").value = address.get("ask");
      answer();
    }
    return;
  }
  const settings = {};
  for (const [name, value] of address) {
    const [experiment, setting] = name.split(".");
    if (setting) (settings[experiment] ??= {})[setting] = value;
  }
  const found = await ask("open", { lesson, settings });
  if (opened !== lesson) return;
  part("problem").hidden = !found.error;
  part("problem").textContent = found.error ?? "";
  part("contents").hidden = !found.error;
  part("lesson").innerHTML = found.html ?? "";
  document.title = `${found.title ?? "Learn"} - Layerwise`;
  if (moved) {
    window.scrollTo(0, 0);
    part("lesson").querySelector("h1")?.focus({ preventScroll: true });
  }
}

async function answer() {
  const turn = ++typed;
  const question = part("question").value;
  const found = await ask("ask", question);
  if (turn !== typed) return;
  part("answers").innerHTML = found.html ?? "";
  if (found.error) part("answers").textContent = found.error;
  const address = new URL(window.location);
  if (question.trim()) address.searchParams.set("ask", question);
  else address.searchParams.delete("ask");
  history.replaceState(history.state, "", address);
}

element.addEventListener("input", (event) => {
  if (event.target === part("question")) {
    clearTimeout(open.waiting);
    open.waiting = setTimeout(answer, 250);
    return;
  }
  const section = event.target.closest("[data-experiment]");
  if (!section) return;
  if (event.target.type === "range") event.target.parentElement.querySelector("output").textContent = read(event.target);
  remember(section);
  if (!section.querySelector("[data-action=run]")) show(section);
});
element.addEventListener("submit", (event) => event.preventDefault());
element.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.button) {
    const target = new URL(link.href);
    if (target.pathname === window.location.pathname && target.origin === window.location.origin && link.target !== "_blank") {
      event.preventDefault();
      history.pushState(history.state, "", target);
      open(true);
    }
    return;
  }
  const button = event.target.closest("button");
  const section = button?.closest("[data-experiment]");
  if (button?.dataset.action === "run") run(section);
  if (button?.dataset.action === "stop") stop(section);
  if (button?.dataset.choice) {
    const question = button.closest(".lw-check-question");
    const isRight = button.dataset.choice === "right";
    for (const other of question.querySelectorAll("[data-choice]")) {
      other.disabled = true;
      if (other.dataset.choice === "right") other.dataset.state = "right";
      else if (other === button) other.dataset.state = "wrong";
    }
    const explained = question.querySelector(".lw-back");
    explained.hidden = false;
    explained.querySelector("strong").textContent = isRight ? "Right." : "Not quite.";
  }
});
window.addEventListener("popstate", () => element.isConnected && open(false));
open(false);
