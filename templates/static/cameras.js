/* The list: a still and a state in words for each camera, refreshed while the page is seen. */
(function () {
  "use strict";

  const STATES_EVERY = 10000; // ms
  const STILLS_EVERY = 60000; // ms: mobile data
  const AT_ONCE = 2; // stills asked for at a time: a home's line is slow

  const cards = new Map();
  document.querySelectorAll("[data-camera]").forEach((card) => {
    const still = new Village.Still(card.querySelector(".still"), card.dataset.camera);
    const online = card.querySelector(".state").dataset.kind !== "bad";
    cards.set(card.dataset.camera, { card, still, online });
  });

  function show(entry, camera) {
    const found = Village.describe(camera);
    const state = entry.card.querySelector(".state");
    const text = found.code ? Village.explain(found.code).what : Village.say("card.online");
    if (state.textContent !== text) state.textContent = text;
    state.dataset.kind = found.kind;
    entry.online = camera.online;
    const name = entry.card.querySelector(".name");
    if (name.textContent !== camera.name) name.textContent = camera.name;
  }

  async function states() {
    if (document.hidden) return;
    const report = document.getElementById("report");
    try {
      const answer = await (await Village.ask("/api/v1/cameras")).json();
      const cameras = Array.isArray(answer) ? answer : answer.cameras;
      const known = cameras.filter((camera) => cards.has(camera.id));
      if (known.length !== cameras.length || known.length !== cards.size) {
        location.reload(); // a camera came or went
        return;
      }
      known.forEach((camera) => show(cards.get(camera.id), camera));
      report.textContent = "";
    } catch (error) {
      if (error.status === 401) Village.toSignIn();
      else report.textContent = Village.explain(error.code, error.status).what;
    }
  }

  async function stills() {
    if (document.hidden) return;
    const waiting = Array.from(cards.values()).filter((entry) => entry.online);
    const worker = async () => {
      for (let entry = waiting.shift(); entry; entry = waiting.shift()) {
        try {
          await entry.still.refresh();
        } catch (error) {
          if (error.status === 401) Village.toSignIn(); // any other: its state says why
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }

  setInterval(states, STATES_EVERY);
  setInterval(stills, STILLS_EVERY);
  document.addEventListener("visibilitychange", () => {
    states();
    stills();
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) states();
  });
  stills(); // the states came with the page
})();
