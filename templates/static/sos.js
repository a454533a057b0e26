/* Calling for help, and answering: what is sent and what is not is said aloud. ES2018. */
(function () {
  "use strict";

  const HOLD = 2000; // ms the button is held
  const AGAIN = 2000; // ms between tries while it is not sent
  const LOOKS_EVERY = 3000; // ms
  const at = (id) => document.getElementById(id);
  const report = at("report");
  let busy = false;
  let heard = null; // ids that were there at the last look: a new one is said aloud

  function aloud(words) {
    if (!window.speechSynthesis) return;
    const said = new SpeechSynthesisUtterance(words);
    said.lang = document.documentElement.lang;
    window.speechSynthesis.speak(said);
  }

  function tell(problem) {
    if (problem.status === 401) {
      Village.toSignIn();
      return;
    }
    const words = Village.explain(problem.code, problem.status);
    report.textContent = words.what + " " + words.advice;
  }

  async function get(path) {
    return (await Village.ask(path)).json();
  }

  function made(tag, className, words) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (words) element.textContent = words;
    return element;
  }

  function time(ms) {
    return new Date(ms).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
  }

  // Calling for help.

  function say(key) {
    const words = Village.say(key);
    at("sending").dataset.kind = key === "sos.sent" ? "good" : "bad";
    if (at("sending").textContent === words) return;
    at("sending").textContent = words;
    aloud(words);
  }

  /** Tries until the hub has taken it: what a line loses is sent again, and is one call there. */
  async function call() {
    if (busy) return;
    busy = true;
    const chosen = document.querySelector("#homes input:checked");
    const path = "/api/v1/households/" + encodeURIComponent(chosen.value) + "/sos";
    for (;;) {
      try {
        await Village.post(path);
        break;
      } catch (problem) {
        if (problem.status === 401) return Village.toSignIn();
        say("sos.not_sent");
        if (problem.status >= 400 && problem.status < 500 && problem.status !== 429) {
          tell(problem);
          busy = false;
          return undefined;
        }
        await new Promise((done) => setTimeout(done, AGAIN));
      }
    }
    busy = false;
    say("sos.sent");
    return show();
  }

  async function showHomes() {
    const homes = (await get("/api/v1/me/sharing")).households;
    homes.forEach((home, place) => {
      const label = made("label");
      const choice = made("input");
      choice.type = "radio";
      choice.name = "home";
      choice.value = home.household;
      choice.checked = place === 0;
      label.append(choice, home.name);
      at("homes").appendChild(label);
    });
    at("homes").hidden = homes.length < 2;
    at("call").hidden = homes.length === 0;
  }

  // What is going on.

  async function act(work) {
    report.textContent = "";
    try {
      await work();
    } catch (problem) {
      tell(problem);
    }
    await show();
  }

  function button(words, work, className) {
    const element = made("button", className || "quiet wide", words);
    element.type = "button";
    element.addEventListener("click", () => act(work));
    return element;
  }

  function step(sos, name, body) {
    return () => Village.post("/api/v1/sos/" + encodeURIComponent(sos.id) + "/" + name, body);
  }

  function showCalls(list, calls) {
    list.textContent = "";
    calls.forEach((each) => {
      list.appendChild(made("li", "", Village.say("sos.call." + each.state, { name: each.name })));
    });
  }

  function whyForm(sos) {
    const form = made("form", "reason");
    const label = made("label", "", Village.say("sos.reason"));
    const words = made("input");
    const tick = made("label", "tick");
    const alarm = made("input");
    const send = made("button", "primary", Village.say("sos.reason.go"));
    words.type = "text";
    words.maxLength = 1000;
    words.id = "reason-" + sos.id;
    label.htmlFor = words.id;
    alarm.type = "checkbox";
    tick.append(alarm, Village.say("sos.false_alarm"));
    form.append(label, words, tick, send);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (words.value.trim().length < 2) words.focus();
      else act(step(sos, "give_reason", { reason: words.value.trim(), false_alarm: alarm.checked }));
    });
    return form;
  }

  function box(sos) {
    const card = made("section", "card");
    card.dataset.sos = sos.id;
    card.appendChild(made("h3", "", Village.say("sos.of", { home: sos.household_name, time: time(sos.opened) })));
    card.appendChild(made("p", "standing"));
    card.appendChild(made("ul", "calls"));
    card.appendChild(made("div", "doings"));
    return card;
  }

  function cameras(sos, place) {
    sos.cameras.forEach((id, number) => {
      const link = made("a", "button quiet wide", Village.say("sos.look", { number: number + 1 }));
      link.href = "/cameras/" + encodeURIComponent(id);
      place.appendChild(link);
    });
  }

  function doings(sos, calls, card) {
    const place = card.querySelector(".doings");
    const living = sos.acts.includes("stop");
    const state = sos.state + " " + sos.acts.join() + " " + (calls ? "called" : "");
    if (place.dataset.state === state) return; // somebody may be writing
    place.dataset.state = state;
    place.textContent = "";
    if (living && calls) {
      place.appendChild(button(Village.say("sos.coming"), step(sos, "coming"), "primary"));
      place.appendChild(button(Village.say("sos.not_coming"), step(sos, "not-coming")));
    }
    if (living) cameras(sos, place);
    if (sos.acts.includes("renew")) place.appendChild(button(Village.say("sos.renew"), step(sos, "renew")));
    if (living) place.appendChild(button(Village.say("sos.stop"), step(sos, "stop")));
    if (sos.acts.includes("give_reason")) place.appendChild(whyForm(sos));
  }

  async function showOne(sos) {
    const path = "/api/v1/sos/" + encodeURIComponent(sos.id) + "/calls";
    const found = await get(path);
    let card = document.querySelector('[data-sos="' + sos.id + '"]');
    if (!card) {
      card = box(sos);
      at("list").appendChild(card);
    }
    const values = { until: time(sos.ends), reason: sos.reason };
    card.querySelector(".standing").textContent = Village.say("sos.state." + sos.state, values);
    showCalls(card.querySelector(".calls"), found.calls);
    doings(sos, found.mine, card);
  }

  /** What is open, and what still needs a word. */
  async function show() {
    try {
      const items = (await get("/api/v1/sos?open=true&limit=50")).items;
      const ids = items.map((sos) => sos.id);
      document.querySelectorAll("[data-sos]").forEach((card) => {
        if (!ids.includes(card.dataset.sos)) card.remove();
      });
      for (const sos of items) await showOne(sos);
      at("none").hidden = items.length > 0;
      const fresh = items.filter((sos) => heard && !heard.includes(sos.id) && at("call").hidden);
      fresh.forEach((sos) => aloud(Village.say("sos.of", { home: sos.household_name, time: time(sos.opened) })));
      heard = ids;
    } catch (problem) {
      tell(problem);
    }
  }

  async function lookForever() {
    if (!document.hidden) await show();
    setTimeout(lookForever, LOOKS_EVERY);
  }

  hold(at("press"), HOLD, call);
  showHomes().catch(tell).then(lookForever);
})();
