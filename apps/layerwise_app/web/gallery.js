// The value is the index of the chosen example: an event that has to wait is told of the value at its turn, while what
// came with the click would be lost.
const examples = () => [...element.querySelectorAll("button[data-index]")];
const [, model] = (element.querySelector("ul")?.dataset.model ?? "").split("/");

function choose(chosen) {
  examples().forEach((button) => button.setAttribute("aria-pressed", button === chosen));
  props.value = chosen.dataset.index;
  trigger("select");
}

element.addEventListener("click", (event) => {
  const chosen = event.target.closest("button[data-index]");
  if (!chosen) return;
  choose(chosen);
  if (model) {
    const address = new URL(window.location);
    address.searchParams.set("model", model);
    address.searchParams.set("example", Number(chosen.dataset.index) + 1);
    window.history.replaceState(window.history.state, "", address);
  }
  // Brought into view where it is below the fold.
  const answer = element.closest(".lw-model")?.querySelector(".lw-outputs");
  answer?.scrollIntoView({ block: "nearest", behavior: "smooth" });
});

const asked = new URL(window.location).searchParams;
if (model && asked.get("model") === model) {
  const chosen = examples()[asked.get("example") - 1];
  if (chosen) choose(chosen);
}
