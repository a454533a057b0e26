/* My sessions and keys, and my shift when I am on duty. */
(function () {
  "use strict";

  const report = document.getElementById("report");
  const at = (id) => document.getElementById(id);

  function tell(problem) {
    if (problem.status === 401) {
      Village.toSignIn();
      return;
    }
    const words = Village.explain(problem.code, problem.status);
    report.textContent = words.what + " " + words.advice;
  }

  /** Do something, say what went wrong, then show how things stand. */
  async function act(work) {
    report.textContent = "";
    try {
      await work();
    } catch (problem) {
      tell(problem);
    }
    await show();
  }

  async function get(path) {
    return (await Village.ask(path)).json();
  }

  function button(words, work) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "quiet";
    made.textContent = words;
    made.addEventListener("click", () => act(work));
    return made;
  }

  function line(list, title, note, buttons) {
    const item = document.createElement("li");
    const what = document.createElement("span");
    const more = document.createElement("small");
    what.className = "what";
    what.textContent = title;
    more.textContent = note;
    what.appendChild(more);
    item.appendChild(what);
    buttons.forEach((each) => item.appendChild(each));
    list.appendChild(item);
  }

  function when(ms) {
    return ms ? new Date(ms).toLocaleString(document.documentElement.lang) : "–";
  }

  function remove(path) {
    return Village.ask(path, { method: "DELETE" });
  }

  async function showSessions() {
    const list = at("sessions");
    const found = await get("/api/v1/me/sign-ins");
    list.textContent = "";
    at("end-others").hidden = found.sign_ins.length < 2;
    found.sign_ins.forEach((each) => {
      const note = Village.say("account.used", { when: when(each.used) });
      const end = button(Village.say("account.end"), () =>
        remove("/api/v1/me/sign-ins/" + encodeURIComponent(each.id))
      );
      const here = each.this ? Village.say("account.here") + " " : "";
      line(list, here + each.device, note, each.this ? [] : [end]);
    });
  }

  async function showKeys() {
    const list = at("keys");
    const found = await get("/api/v1/me/passkeys");
    list.textContent = "";
    found.passkeys.forEach((key) => {
      const path = "/api/v1/me/passkeys/" + encodeURIComponent(key.id);
      const kind = Village.say(key.duty ? "account.key.duty" : "account.key.home");
      const note = kind + " " + Village.say("account.used", { when: when(key.used) });
      line(list, key.name, note, [
        button(Village.say("account.rename"), () => rename(path, key.name)),
        button(Village.say("account.remove"), () => remove(path)),
      ]);
    });
  }

  function rename(path, name) {
    const wanted = window.prompt(Village.say("account.rename.ask"), name);
    if (!wanted) return Promise.resolve();
    const headers = { "Content-Type": "application/json" };
    const body = JSON.stringify({ name: wanted });
    return Village.ask(path, { method: "PATCH", headers, body });
  }

  async function addKey() {
    const begun = await Passkey.answer("/api/v1/me/passkeys/begin");
    const credential = await Passkey.create(begun.options);
    const name = at("key-name").value.trim() || Village.say("account.key.new");
    await Passkey.answer("/api/v1/me/passkeys", { ceremony: begun.ceremony, credential, name });
    at("key-name").value = "";
  }

  async function showShift() {
    const me = await get("/api/v1/me");
    at("duty").hidden = !me.duty;
    if (!me.duty) return;
    const state = at("shift");
    state.textContent = "";
    try {
      const shift = await get("/api/v1/me/shift");
      line(state, me.duty.unit_name, Village.say("account.shift.until", { when: when(shift.ends) }), [
        button(Village.say("account.shift.end"), () => remove("/api/v1/me/shift")),
      ]);
    } catch (problem) {
      if (problem.status !== 404) throw problem;
      line(state, me.duty.unit_name, Village.say("account.shift.none"), [
        button(Village.say("account.shift.start"), () => Village.post("/api/v1/me/shift", {})),
      ]);
    }
  }

  async function show() {
    try {
      await Promise.all([showSessions(), showKeys(), showShift()]);
    } catch (problem) {
      tell(problem);
    }
  }

  at("end-others").addEventListener("click", () => act(() => remove("/api/v1/me/sign-ins")));
  at("add").hidden = !Passkey.supported;
  at("add").addEventListener("submit", (event) => {
    event.preventDefault();
    act(addKey);
  });
  show();
})();
