// A page belongs to the server that drew it. When that server is gone and another one answers, the page is opened again;
// its address says which run it shows, and what was typed into its form is kept for it (typed.py).
setInterval(async () => {
  try {
    const { started } = await (await fetch("./api/v1/health")).json();
    if (started !== "SERVER_START") {
      if (window.typed) sessionStorage.setItem("typed", window.typed);
      window.location.reload();
    }
  } catch {
    // Nobody answers: look again.
  }
}, 2000);
