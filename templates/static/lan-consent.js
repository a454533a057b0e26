/* The LAN page's part on consent: who may see, who asks, who looked, SOS. ES2018. */
(function () {
  "use strict";

  const LOOK_EVERY = 3000; // ms
  const HOLD = 3000; // ms the SOS button is held

  const at = (id) => document.getElementById(id);
  if (!at("sos-button")) return; // not signed in
  const words = JSON.parse(at("words").textContent);
  const language = document.documentElement.lang;
  const FAR = 5 * 365 * 24 * 3600 * 1000; // an end so far away is "until you stop it"

  const word = (kind, name) => words[kind + "_" + name] || name;
  const time = (ms) =>
    new Date(ms).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });

  async function post(path, body) {
    at("consent-error").textContent = "";
    let said = words.failed;
    try {
      const answer = await fetch(path, {
        method: "POST",
        cache: "no-store",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body || {}),
      });
      if (answer.ok) return look();
      said = (await answer.json()).detail || said;
    } catch (failure) {
      // the box does not answer: said below
    }
    at("consent-error").textContent = words.cannot + " " + said;
    at("consent-error").scrollIntoView({ block: "center" });
    return look();
  }

  function line(item, text, kind) {
    if (!text) return;
    const element = document.createElement("p");
    element.textContent = text;
    if (kind) element.className = kind;
    item.append(element);
  }

  function buttons(item, list) {
    const row = document.createElement("div");
    row.className = "buttons";
    list.forEach(([text, kind, then]) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = kind;
      button.textContent = text;
      button.addEventListener("click", () => {
        button.disabled = true;
        then();
      });
      row.append(button);
    });
    item.append(row);
  }

  /** A list that is made anew only when what it shows has changed. */
  function list(id, items, make) {
    const element = at(id);
    const shown = JSON.stringify(items);
    if (element.dataset.shown === shown) return;
    element.dataset.shown = shown;
    element.textContent = "";
    items.forEach((each) => {
      const item = document.createElement("li");
      item.dataset.id = each.id || "";
      make(item, each);
      element.append(item);
    });
  }

  function hours(each) {
    const names = words.days.split(",");
    const clock = (minutes) =>
      String(Math.floor(minutes / 60)).padStart(2, "0") + ":" + String(minutes % 60).padStart(2, "0");
    return each.days.map((day) => names[day]).join(" ") + " " + clock(each.begin) + "-" + clock(each.end);
  }

  function terms(item, each) {
    line(item, [each.who, ...each.responders].join(", "), "who");
    line(item, word("kind", each.kind) + "; " + word("purpose", each.purpose) + (each.why ? ": " + each.why : ""));
    const actions = each.actions.map((action) => word("action", action)).join(", ");
    line(item, each.cameras.join(", ") + ": " + actions);
    if (each.inside) line(item, words.inside + ": " + each.filmed.join(", "), "error");
    if (each.hand_on) line(item, words.may_hand_on);
    if (each.footage) line(item, words.recordings + " " + each.footage.map(time).join(" - "));
    each.hours.forEach((one) => line(item, hours(one)));
    const end = each.until - Date.now() > FAR ? words.always : words.until + " " + time(each.until);
    const begins = each.from > Date.now() ? words.from_to + " " + time(each.from) + " " : "";
    line(item, begins + end);
    if (each.contact) line(item, words.contact + " " + each.contact);
  }

  function showGrants(grants) {
    const holding = grants.filter((each) => !each.over);
    const ended = grants.filter((each) => each.over);
    at("no-grants").hidden = holding.length > 0;
    at("ended-part").hidden = ended.length === 0;
    list("grants", holding, (item, each) => {
      terms(item, each);
      line(item, word("how", each.how));
      buttons(item, [[words.stop_it, "primary", () => post("/api/grants/" + each.id + "/stop")]]);
    });
    list("ended", ended, (item, each) => {
      line(item, each.who + ": " + each.cameras.join(", "), "who");
      line(item, each.stopped ? words.stopped_at + " " + time(each.stopped) : words.over_at + " " + time(each.until));
    });
  }

  function showDrafts(state) {
    const asked = state.drafts.map((each) => Object.assign({ is: "draft" }, each));
    const people = state.proposals.map((each) => Object.assign({ is: "owner" }, each));
    at("drafts-card").hidden = asked.length + people.length === 0;
    list("drafts", [...people, ...asked], (item, each) => {
      const path = (each.is === "draft" ? "/api/drafts/" : "/api/owners/") + each.id;
      if (each.is === "draft") {
        terms(item, each);
        line(item, words.asked_by + " " + each.asked_by);
      } else {
        line(item, each.passkey ? words.new_passkey : words.new_owner);
        line(item, each.name, "who");
      }
      const yes = each.is === "draft" ? words.give : words.confirm;
      buttons(item, [
        [yes, "primary", () => post(path, { yes: true })],
        [words.say_no, "quiet", () => post(path, { yes: false })],
      ]);
    });
  }

  function showOwners(owners) {
    at("no-owner").hidden = owners.length > 0;
    list("owners", owners, (item, each) => {
      line(item, each.name || each.id, "who");
      buttons(item, [[words.remove, "quiet", () => post("/api/owners/" + each.id + "/remove")]]);
    });
  }

  function showOpenings(openings) {
    at("openings-card").hidden = openings.length === 0;
    const rounded = openings.map((each) => Object.assign({}, each, { seconds: Math.ceil(each.seconds / 60) }));
    list("openings", rounded, (item, each) => {
      line(item, word("opening", each.kind), "who");
      line(item, [each.by, each.unit].filter(Boolean).join(", "));
      line(item, each.cameras.join(", "));
      if (each.incident) line(item, words.incident + " " + each.incident);
      line(item, words.minutes_left + " " + each.seconds);
      if (each.kind === "sos") {
        buttons(item, [[words.sos_end, "quiet", () => post("/api/openings/" + each.id + "/end")]]);
      }
    });
  }

  function showLooked(looked) {
    at("nobody-looked").hidden = looked.length > 0;
    list("looked", looked, (item, each) => {
      const from = each.outside ? words.outside : words.household;
      line(item, [each.name, each.unit].filter(Boolean).join(", ") + " (" + from + ")", "who");
      const what = each.event === "still" ? words.still : words.live;
      line(item, each.camera + ": " + what + "; " + word("purpose", each.purpose));
      const end = each.ended ? " - " + time(each.ended) : each.event === "push" ? ", " + words.still_now : "";
      line(item, time(each.at) + end);
    });
  }

  function showWindow(on) {
    at("window-state").textContent = on ? words.window_on : words.window_off;
    const turn = at("window-turn");
    turn.textContent = on ? words.window_turn_off : words.window_turn_on;
    turn.onclick = () => post("/api/window", { yes: !on });
  }

  function showSos(sos) {
    const state = at("sos-state");
    state.hidden = !sos;
    if (!sos) return;
    const cameras = sos.cameras ? words.sos_cameras + " " + sos.cameras : words.sos_none;
    const text = (sos.sent ? words.sos_sent : words.sos_not_sent) + " " + cameras;
    if (state.textContent !== text) state.textContent = text;
    state.classList.toggle("bad", !sos.sent);
  }

  async function look() {
    at("sos-off").hidden = at("switch-state").dataset.off !== "yes";
    try {
      const answer = await fetch("/api/consent", { cache: "no-store" });
      if (!answer.ok) return;
      const state = await answer.json();
      showSos(state.sos);
      showOpenings(state.openings);
      showDrafts(state);
      showGrants(state.grants);
      showOwners(state.owners);
      showLooked(state.looked);
      showWindow(state.window);
    } catch (failure) {
      // the box does not answer; the next look may
    }
  }

  async function lookForever() {
    await look();
    setTimeout(lookForever, LOOK_EVERY);
  }

  hold(at("sos-button"), HOLD, () => post("/api/sos"));
  lookForever();
})();
