// The value is the index of the chosen example: an event that has to wait is told of the value at its turn, while what
// came with the click would be lost.
element.addEventListener("click", (event) => {
  const chosen = event.target.closest("button[data-index]");
  if (!chosen) return;
  element.querySelectorAll("button").forEach((button) => button.setAttribute("aria-pressed", button === chosen));
  props.value = chosen.dataset.index;
  trigger("select");
  // Brought into view where it is below the fold.
  const answer = element.closest(".lw-model")?.querySelector(".lw-outputs");
  answer?.scrollIntoView({ block: "nearest", behavior: "smooth" });
});
