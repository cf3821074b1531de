// Opens the looks into the network for what was asked last. The value is the token by which the server knows that; what
// a look shows is computed when it is looked at, and no longer once another one is.
let sitting = props.value;
let look = null;
let turn = 0;

function about() {
  return { sitting, look, network: part("network", part("looks"))?.value };
}

function isOpen() {
  return !part("inside").hidden;
}

async function open() {
  const mine = ++turn;
  [...running.keys()].forEach(stop);
  part("toggle").setAttribute("aria-expanded", "true");
  part("inside").hidden = false;
  part("problem").hidden = true;
  part("waiting").hidden = false;
  const found = await ask("open", about());
  if (mine !== turn) return;
  part("waiting").hidden = true;
  part("problem").hidden = !found.error;
  part("problem").textContent = found.error ?? "";
  if (found.error) {
    part("looks").innerHTML = part("look").innerHTML = "";
    return;
  }
  part("looks").innerHTML = found.looks;
  choose(found.look);
}

async function choose(name) {
  const mine = ++turn;
  [...running.keys()].forEach(stop);
  // The same look at another input keeps its settings.
  const former = part("look").querySelector("[data-experiment]");
  const settings = former?.dataset.experiment === name ? settingsOf(former) : {};
  look = name;
  for (const button of part("looks").querySelectorAll("[data-look]")) {
    button.setAttribute("aria-pressed", String(button.dataset.look === name));
  }
  part("look").setAttribute("aria-busy", "true");
  const found = await ask("choose", { ...about(), settings });
  if (mine !== turn) return;
  part("look").removeAttribute("aria-busy");
  part("problem").hidden = !found.error;
  part("problem").textContent = found.error ?? "";
  part("look").innerHTML = found.html ?? "";
  again(part("look").querySelector("[data-experiment]"));
}

// What takes long is begun without being asked, since somebody chose to look at it.
function again(section) {
  if (section?.querySelector("[data-action=run]")) run(section);
}

function close() {
  turn += 1;
  [...running.keys()].forEach(stop);
  part("inside").hidden = true;
  part("toggle").setAttribute("aria-expanded", "false");
}

element.addEventListener("change", (event) => {
  if (event.target.dataset.part === "network") {
    look = null;
    open();
    return;
  }
  again(event.target.closest("[data-experiment]"));
});
element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.look) choose(button.dataset.look);
  if (button !== part("toggle")) return;
  if (isOpen()) close();
  else open();
});
watch("value", () => {
  if (props.value === sitting) return;
  sitting = props.value;
  if (isOpen()) open();
});
