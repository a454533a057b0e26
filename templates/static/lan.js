/* The household's own page: switch, sign-in, cameras live on the home's network. ES2018. */
(function () {
  "use strict";

  const STATE_EVERY = 2000; // ms between looks at the agent's state
  const STILL_EVERY = 10000; // ms between stills of a camera that does not play

  const at = (id) => document.getElementById(id);
  const words = JSON.parse(at("words").textContent);
  const signedIn = document.body.dataset.signedIn === "yes";
  const cards = new Map();

  function send(path, body) {
    return fetch(path, {
      method: "POST",
      cache: "no-store",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body || {}),
    });
  }

  function why(status) {
    return status === 403 ? words.wrong_code : status === 429 ? words.too_many : words.failed;
  }

  /** A form that posts JSON; `then` is called when that worked. */
  function form(id, error, body, path, then) {
    const element = at(id);
    if (!element) return;
    element.addEventListener("submit", async (event) => {
      event.preventDefault();
      const note = error ? at(error) : null;
      if (note) note.textContent = "";
      let status = 0;
      try {
        status = (await send(path, body())).status;
      } catch (failure) {
        status = 0; // the box does not answer
      }
      element.reset();
      if (status >= 200 && status < 300) then();
      else if (note) note.textContent = why(status);
    });
  }

  function showSwitch(off) {
    const state = at("switch-state");
    const text = off ? words.is_off : words.is_on;
    if (state.textContent !== text) state.textContent = text;
    state.dataset.off = off ? "yes" : "no";
    at("turn-off").hidden = off;
    at("turn-on").hidden = !off;
  }

  // One camera.

  class Card {
    constructor(camera) {
      this.camera = camera;
      this.stillAt = 0;
      this.make();
    }

    make() {
      const item = (this.item = document.createElement("li"));
      item.className = "camera card";
      const stage = document.createElement("div");
      stage.className = "stage";
      this.still = document.createElement("img");
      this.still.alt = words.still;
      this.still.hidden = true;
      this.still.addEventListener("load", () => (this.still.hidden = this.playing));
      this.still.addEventListener("error", () => (this.still.hidden = true));
      this.video = document.createElement("video");
      this.video.muted = true;
      this.video.playsInline = true;
      this.video.autoplay = true;
      this.video.hidden = true;
      this.video.setAttribute("aria-label", words.live);
      stage.append(this.video, this.still);
      this.name = document.createElement("p");
      this.name.className = "name";
      this.state = document.createElement("p");
      this.state.setAttribute("role", "status");
      this.alarm = document.createElement("ul");
      this.alarm.className = "plain alarm";
      this.alarm.setAttribute("role", "status");
      this.button = document.createElement("button");
      this.button.className = "primary";
      this.button.type = "button";
      this.button.addEventListener("click", () => this.toggle());
      item.append(stage, this.name, this.state, this.alarm, this.button);
      this.player = null;
      this.words();
    }

    get playing() {
      return Boolean(this.player);
    }

    update(camera) {
      this.camera = camera;
      this.words();
      if (!this.playing && camera.online && !document.hidden && Date.now() > this.stillAt) {
        this.stillAt = Date.now() + STILL_EVERY;
        this.still.src = "/still/" + encodeURIComponent(camera.id) + "?" + Date.now();
      }
    }

    words() {
      const camera = this.camera;
      const trouble = camera.trouble ? words[camera.trouble] || words.trouble : "";
      this.name.textContent = camera.name;
      this.button.textContent = this.playing ? words.stop : words.play;
      this.button.disabled = !camera.online && !this.playing;
      const moving = this.player && this.player.state === "playing";
      const text = this.playing && !moving ? words.waiting : trouble;
      if (this.state.textContent !== text) this.state.textContent = text;
      this.showAlarm(camera.alarm);
    }

    /** Whether a button wired to the camera would call for help now. */
    showAlarm(alarm) {
      const lines = (alarm ? alarm.inputs : []).map((each) => ({
        good: ["quiet", "alarm", "waiting"].includes(each.state),
        text:
          words.alarm_input + " " + each.input + ": " + words["alarm_" + each.state] +
          (each.state === "deaf" ? " " + (words[alarm.trouble] || "") : ""),
      }));
      const shown = JSON.stringify(lines);
      if (this.alarm.dataset.shown === shown) return;
      this.alarm.dataset.shown = shown;
      this.alarm.textContent = "";
      lines.forEach((line) => {
        const item = document.createElement("li");
        item.textContent = line.text;
        item.className = line.good ? "" : "bad";
        this.alarm.append(item);
      });
    }

    toggle() {
      if (this.playing) this.stop();
      else this.play();
    }

    play() {
      this.player = new VillagePlayer({
        video: this.video,
        audio: this.camera.audio,
        endpoint: () => "/whep/" + encodeURIComponent(this.camera.id) + "?quality=main",
        token: () => Promise.resolve(""),
        onState: () => this.shown(),
      });
      this.player.play();
      this.shown();
    }

    shown() {
      const moving = this.player && this.player.state === "playing";
      this.video.hidden = !this.playing;
      if (moving) this.still.hidden = true;
      this.words();
    }

    stop() {
      this.player.stop();
      this.player = null;
      this.stillAt = 0;
      this.shown();
    }
  }

  function showCameras(cameras) {
    at("none").hidden = cameras.length > 0;
    cameras.forEach((camera) => {
      let card = cards.get(camera.id);
      if (!card) {
        card = new Card(camera);
        cards.set(camera.id, card);
        at("cameras").append(card.item);
      }
      card.update(camera);
    });
  }

  function showWatched(state) {
    const clock = (ms) => new Date(ms).toLocaleTimeString(document.documentElement.lang);
    const lines = [];
    state.pushes.forEach((push) => {
      push.viewers.forEach((viewer) => {
        const who = [viewer.name || viewer.subject, viewer.unit].filter(Boolean).join(", ");
        const from = viewer.outside ? words.outside : words.household;
        const parts = [push.camera + ": " + who + " (" + from + ")"];
        parts.push(words["purpose_" + viewer.purpose] || viewer.purpose);
        if (viewer.reason) parts.push(viewer.reason);
        parts.push(words.since + " " + clock(push.since_ms));
        parts.push(words.until + " " + clock(viewer.until));
        lines.push(parts.join("; "));
      });
    });
    const texts = lines.length ? lines : [words.nobody];
    const list = at("watched");
    if (list.dataset.shown === texts.join("\n")) return;
    list.dataset.shown = texts.join("\n");
    list.textContent = "";
    texts.forEach((text) => {
      const item = document.createElement("li");
      item.textContent = text;
      list.append(item);
    });
  }

  async function look() {
    try {
      const answer = await fetch("/api/state", { cache: "no-store" });
      if (answer.status === 401) location.reload();
      if (answer.ok) {
        const state = await answer.json();
        showSwitch(state.privacy_off);
        showCameras(state.cameras);
        showWatched(state);
        const hub = state.connected ? words.connected : words.not_connected;
        at("hub").textContent = (state.hub ? state.hub + ", " : "") + hub;
      }
    } catch (failure) {
      at("hub").textContent = words.failed; // the box does not answer; the next look may
    }
    setTimeout(look, STATE_EVERY);
  }

  const reload = () => location.reload();
  const code = (id) => () => ({ code: at(id).value });
  form("sign-in", "sign-in-error", code("code"), "/sign-in", reload);
  form("sign-out", "", () => ({}), "/sign-out", reload);
  form("turn-off", "switch-error", () => ({ off: true }), "/api/switch", () => showSwitch(true));
  const turnOn = () => ({ off: false, code: at("switch-code").value });
  form("turn-on", "switch-error", turnOn, "/api/switch", () => showSwitch(false));
  showSwitch(at("switch-state").dataset.off === "yes");
  if (signedIn) look();
})();
