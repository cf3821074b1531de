// An example is chosen: the page is told which, and the answer is brought into view where it is below the fold.
element.addEventListener("click", (event) => {
  const chosen = event.target.closest("button[data-index]");
  if (!chosen) return;
  element.querySelectorAll("button").forEach((button) => button.setAttribute("aria-pressed", button === chosen));
  trigger("select", { index: Number(chosen.dataset.index), value: chosen.dataset.index });
  const answer = element.closest(".lw-model")?.querySelector(".lw-outputs");
  answer?.scrollIntoView({ block: "nearest", behavior: "smooth" });
});
