/* The list: a still and a state in words for each camera, refreshed while the page is seen. */
(function () {
  "use strict";

  const STATES_EVERY = 10000; // ms
  const ALARMS_EVERY = 5000; // ms
  const STILLS_EVERY = 60000; // ms: mobile data
  const AT_ONCE = 2; // stills asked for at a time: a home's line is slow

  const cards = new Map();
  document.querySelectorAll("[data-camera]").forEach((card) => {
    const { camera, purpose } = card.dataset;
    const still = new Village.Still(card.querySelector(".still"), camera, purpose);
    const online = card.querySelector(".state").dataset.kind !== "bad";
    cards.set(camera, { card, still, online });
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
    // Without a purpose that goes without saying, every look is asked about first.
    const waiting = Array.from(cards.values()).filter((entry) => entry.online && entry.still.purpose);
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

  /** Somebody who may be of help learns of a call wherever they are. */
  async function alarms() {
    if (document.hidden) return;
    try {
      const open = (await (await Village.ask("/api/v1/sos?open=true&limit=1")).json()).items;
      document.getElementById("alarm").hidden = open.length === 0;
    } catch (error) {
      if (error.status === 401) Village.toSignIn(); // any other: the states say so
    }
  }

  setInterval(alarms, ALARMS_EVERY);
  setInterval(states, STATES_EVERY);
  setInterval(stills, STILLS_EVERY);
  document.addEventListener("visibilitychange", () => {
    alarms();
    states();
    stills();
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) states();
  });
  alarms();
  stills(); // the states came with the page
})();
