// Opens the lesson that stands in the address, keeps the settings of its experiments there, and asks the server what
// follows from them: at each move of a control, or step by step after a button (experiments.js).
const title = document.title;
let opened = null;
let typed = 0;

function about(section) {
  return { lesson: opened, experiment: section.dataset.experiment };
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
  const found = await ask("open", { lesson, settings: rememberedSettings() });
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

rememberSettings();
element.addEventListener("input", (event) => {
  if (event.target !== part("question")) return;
  clearTimeout(open.waiting);
  open.waiting = setTimeout(answer, 250);
});
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
