// Begins a tour, or goes on with it. Which stages were reached is kept in this browser; the tour that is under way is
// kept for this tab alone, where the bar of every page finds it (tour_bar.js).
const reachedKey = (tour) => `layerwise-tour-${tour.name}`;

function begin(tour, number) {
  sessionStorage.setItem("layerwise-tour", JSON.stringify({ ...tour, at: number }));
  window.location.href = tour.stages[number].place;
}

for (const section of element.querySelectorAll("[data-tour]")) {
  const tour = JSON.parse(section.dataset.tour);
  const reached = Math.min(Number(localStorage.getItem(reachedKey(tour)) ?? 0), tour.stages.length);
  const links = section.querySelectorAll("[data-stage]");
  links.forEach((link, number) => {
    if (number < reached) link.dataset.state = "seen";
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      begin(tour, number);
    });
  });
  section.querySelector('[data-action="begin"]').addEventListener("click", () => begin(tour, 0));
  if (reached > 0 && reached < tour.stages.length) {
    const button = section.querySelector('[data-action="go-on"]');
    button.textContent = `Go on with ${reached + 1}: ${tour.stages[reached].title}`;
    button.hidden = false;
    button.addEventListener("click", () => begin(tour, reached));
  }
}
