/* Who can see my home, who looks now, what waits for my yes; stopping by one tap. ES2018. */
(function () {
  "use strict";

  const LOOKS_EVERY = 4000; // ms: who watches is on the page within seconds
  const FAMILY = ["live", "still"];
  const A_FEW = 20; // lines of the log, each time one asks for more
  const at = (id) => document.getElementById(id);
  const report = at("report");
  const language = document.documentElement.lang.slice(0, 2);
  let owned = ""; // the household that I may give for
  let busy = false;
  let lines = A_FEW; // of the log that are shown

  function tell(problem) {
    if (problem.status === 401) {
      Village.toSignIn();
      return;
    }
    const words = Village.explain(problem.code, problem.status);
    report.textContent = words.what + " " + words.advice;
  }

  async function act(work) {
    if (busy) return;
    busy = true;
    report.textContent = "";
    try {
      await work();
    } catch (problem) {
      tell(problem);
    } finally {
      busy = false;
    }
    await show();
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

  function button(words, work, className) {
    const element = made("button", className || "quiet", words);
    element.type = "button";
    element.addEventListener("click", () => act(work));
    return element;
  }

  /** One list of all that the homes have under a name. */
  function all(homes, name) {
    return homes.reduce((found, home) => found.concat(home[name]), []);
  }

  function when(ms) {
    return new Date(ms).toLocaleString(document.documentElement.lang);
  }

  function sentences(said) {
    const list = made("ul");
    (said[language] || said.zh || []).forEach((line) => list.appendChild(made("li", "", line)));
    return list;
  }

  function showWatching(looks) {
    const list = at("watching");
    list.textContent = "";
    at("nobody-now").hidden = looks.length > 0;
    looks.forEach((look) => {
      const from = [look.unit, look.hub_name].filter(Boolean).join(", ");
      const who = look.unit ? look.name + " (" + from + ")" : look.name;
      const purpose = Village.say("consent.purpose." + look.purpose);
      const values = { who, camera: look.camera_name, purpose, until: when(look.until) };
      const line = made("li");
      line.appendChild(made("span", "what", Village.say("sharing.being_watched", values)));
      if (look.basis === "C") {
        line.appendChild(button(Village.say("sharing.stop"), () => stop(look.ref)));
      }
      list.appendChild(line);
    });
  }

  function stop(grant) {
    return Village.post("/api/v1/grants/" + encodeURIComponent(grant) + "/stop", {});
  }

  function showShares(shares) {
    const place = at("shares");
    place.textContent = "";
    at("nobody").hidden = shares.length > 0;
    shares.forEach((share) => {
      const box = made("div", "share");
      box.dataset.grant = share.grant;
      box.appendChild(sentences(share.sentences));
      box.appendChild(button(Village.say("sharing.stop"), () => stop(share.grant), "primary"));
      place.appendChild(box);
    });
  }

  async function showDrafts() {
    const place = at("drafts");
    const path = "/api/v1/households/" + encodeURIComponent(owned) + "/drafts?limit=200";
    const found = (await get(path)).items.filter((each) =>
      ["open", "sending", "waiting"].includes(each.state)
    );
    at("waiting").hidden = found.length === 0;
    place.textContent = "";
    found.forEach((draft) => place.appendChild(draftBox(draft)));
  }

  function draftBox(draft) {
    const box = made("div", "share");
    const path = "/api/v1/drafts/" + encodeURIComponent(draft.id);
    box.appendChild(sentences(draft.sentences));
    box.appendChild(made("p", "", Village.say("sharing.draft." + draft.state)));
    if (draft.state !== "open") return box;
    if (Passkey.supported && draft.passkeys.length) {
      box.appendChild(button(Village.say("sharing.yes"), () => confirm(draft, path), "primary"));
    }
    box.appendChild(
      button(Village.say("sharing.yes_home"), () => Village.post(path + "/at-home", {}), "quiet wide")
    );
    box.appendChild(
      button(Village.say("sharing.no"), () => Village.ask(path, { method: "DELETE" }), "quiet wide")
    );
    return box;
  }

  async function confirm(draft, path) {
    const shown = await Passkey.get({
      challenge: draft.challenge,
      rpId: draft.rp,
      userVerification: "required",
      allowCredentials: draft.passkeys.map((id) => ({ type: "public-key", id })),
    });
    const after = await Passkey.answer(path + "/confirm", {
      credential: shown.id,
      client_data: shown.response.clientDataJSON,
      authenticator_data: shown.response.authenticatorData,
      signature: shown.response.signature,
    });
    if (after.state === "refused") report.textContent = Village.say("sharing.home_refused");
  }

  async function invite() {
    const cameras = Array.from(at("invite-cameras").querySelectorAll("input:checked"));
    const wish = {
      kind: "family",
      purpose: "family",
      actions: FAMILY,
      cameras: cameras.map((each) => each.value),
      why: Village.say("sharing.invite.why"),
      language,
    };
    const path = "/api/v1/households/" + encodeURIComponent(owned) + "/invitations";
    const found = await (await Village.post(path, { name: at("invite-name").value.trim(), wish })).json();
    const link = location.origin + "/invitation#link=" + found.link;
    at("invited").textContent = Village.say("sharing.invited", { link, code: found.code });
    at("invite-name").value = "";
  }

  async function showCameras() {
    const place = at("invite-cameras");
    if (place.querySelector("input")) return;
    (await get("/api/v1/cameras")).cameras.forEach((camera) => {
      const label = made("label");
      const box = made("input");
      box.type = "checkbox";
      box.value = camera.id;
      label.append(box, camera.name);
      place.appendChild(label);
    });
  }

  /** Who has looked, and what was said about a line that the household disputes. */
  async function showLooked() {
    const list = at("looked");
    if (list.querySelector("form")) return; // somebody is writing
    const log = await get("/api/v1/me/log?limit=" + lines);
    const disputes = (await get("/api/v1/log-disputes?limit=200")).items;
    list.textContent = "";
    at("nobody-looked").hidden = log.items.length > 0;
    at("looked-more").hidden = !log.next || lines >= 200;
    log.items.forEach((line) => {
      const about = disputes.find((each) => each.line.entry === line.id); // the newest
      list.appendChild(lineOf(line, about));
    });
  }

  function lineOf(line, dispute) {
    const item = made("li");
    item.dataset.entry = line.id;
    const text = made("span", "what", line.text);
    item.appendChild(text);
    if (dispute) {
      text.appendChild(made("small", "", Village.say("sharing.dispute.said", dispute)));
      text.appendChild(made("small", "answer", answerOf(dispute)));
      if (dispute.acts.includes("withdraw")) {
        const path = "/api/v1/log-disputes/" + encodeURIComponent(dispute.id) + "/withdraw";
        item.appendChild(
          button(Village.say("sharing.dispute.take_back"), () => Village.post(path, {}))
        );
      }
    }
    if (!dispute || dispute.closed) item.appendChild(disputing(item, line));
    return item;
  }

  function answerOf(dispute) {
    const values = { words: dispute.answer, due: dispute.due ? when(dispute.due) : "" };
    return Village.say("sharing.dispute." + (dispute.finding || dispute.state), values);
  }

  function disputing(item, line) {
    const open = made("button", "quiet", Village.say("sharing.dispute"));
    open.type = "button";
    open.addEventListener("click", () => {
      open.hidden = true;
      item.appendChild(disputeForm(line, open));
      item.querySelector("input").focus();
    });
    return open;
  }

  function disputeForm(line, open) {
    const form = made("form");
    const label = made("label", "", Village.say("sharing.dispute.why"));
    const words = made("input");
    words.type = "text";
    words.maxLength = 600;
    label.appendChild(words);
    const send = made("button", "primary", Village.say("sharing.dispute.send"));
    const cancel = made("button", "quiet wide", Village.say("sharing.dispute.cancel"));
    cancel.type = "button";
    cancel.addEventListener("click", () => {
      form.remove();
      open.hidden = false;
    });
    form.append(label, send, cancel);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      act(async () => {
        const path = "/api/v1/me/log/" + encodeURIComponent(line.id) + "/dispute";
        await Village.post(path, { words: words.value.trim() });
        form.remove();
      });
    });
    return form;
  }

  async function show() {
    try {
      const homes = (await get("/api/v1/me/sharing")).households;
      showWatching(all(homes, "watching"));
      showShares(all(homes, "shares"));
      owned = homes.length ? homes[0].household : "";
      if (homes.length) await showLooked();
      if (owned) await showOwners();
    } catch (problem) {
      tell(problem);
    }
  }

  /** What only owners do; to others of the household it is not shown. */
  async function showOwners() {
    try {
      await showDrafts();
      await showCameras();
      at("inviting").hidden = false;
    } catch (problem) {
      if (problem.status !== 403) throw problem;
    }
  }

  at("invite").addEventListener("submit", (event) => {
    event.preventDefault();
    act(invite);
  });
  at("looked-more").addEventListener("click", () => {
    lines = Math.min(lines + A_FEW, 200);
    act(async () => {});
  });
  show();
  setInterval(async () => {
    if (busy || document.hidden) return;
    try {
      const homes = (await get("/api/v1/me/sharing")).households;
      if (!busy) showWatching(all(homes, "watching"));
    } catch (problem) {
      if (problem.status === 401) Village.toSignIn();
    }
  }, LOOKS_EVERY);
})();
