/* One camera, live: still first, then moving; in words why not; stills while it does not move. */
(function () {
  "use strict";

  const STILL_EVERY = 2000; // ms between stills while nothing moves
  const STILL_AGAIN = 10000; // ms after one that did not come
  const STATE_EVERY = 10000; // ms between looks at the camera's state
  const ASK_AFTER = 10 * 60 * 1000; // ms of watching, then "still watching?": mobile data
  const ANSWER_WITHIN = 60 * 1000; // ms to answer it

  const main = document.getElementById("main");
  const camera = main.dataset.camera;
  const sizes = JSON.parse(main.dataset.sizes);
  const here = "/api/v1/cameras/" + encodeURIComponent(camera);
  const at = (id) => document.getElementById(id);
  const video = at("video");
  const said = { purpose: main.dataset.purpose, reason: "" }; // why somebody looks
  const still = new Village.Still(at("still"), camera, said.purpose);

  let trouble = ""; // what the camera's own state says
  let quality = "auto"; // what the viewer chose
  let taken = null; // when the still on show was taken
  let stillTimer = 0;
  let stillsWanted = false;
  let stillsAsked = false; // one is on its way
  let stillsRefused = false;
  let askTimer = 0;
  let endTimer = 0;

  const player = new VillagePlayer({
    video,
    audio: main.dataset.audio === "yes",
    endpoint: () => "/whep/" + encodeURIComponent(camera) + "?quality=" + firstQuality(),
    token: () => Village.post(here + "/media-token", said).then((answer) => answer.json()),
    onState: (state, problem) => show(state, problem),
  });
  window.villagePlayer = player; // for tests, and for whoever helps on the phone

  // Which of the two encodings.

  function firstQuality() {
    if (quality !== "auto") return quality;
    const line = navigator.connection || {};
    const poor = line.saveData || /^(slow-2g|2g|3g)$/.test(line.effectiveType || "");
    return poor && sizes.sub ? "sub" : "main";
  }

  /** The encoding on show, by its size: the hub may have switched. */
  function shown() {
    const width = video.videoWidth;
    if (!width || !sizes.main || !sizes.sub || sizes.main[0] === sizes.sub[0]) return "";
    const to = (size) => Math.abs(size[0] - width);
    return to(sizes.sub) < to(sizes.main) ? "sub" : "main";
  }

  async function choose(wanted) {
    quality = wanted;
    describeQuality();
    const session = player.location.split("/").pop();
    if (!session) return;
    try {
      await Village.post("/api/v1/sessions/" + session + "/quality", { quality: wanted });
    } catch (error) {
      if (error.status === 404) player.play(); // the session is gone: a new one asks for it
      else at("advice").textContent = Village.explain(error.code, error.status).what;
    }
  }

  function describeQuality() {
    const chosen = Village.say("live.quality." + quality);
    at("quality").textContent = Village.say("live.quality.now", { chosen });
    if (player.playing) at("state").textContent = sentence("playing", shown());
  }

  // States in words.

  function sentence(state, now) {
    if (state !== "playing" || !now) return Village.say("state." + state);
    return Village.say("state.playing." + now);
  }

  function show(state, problem) {
    const moving = state === "playing";
    if (main.dataset.state === "playing" && !moving) keepLastFrame();
    main.dataset.state = state;
    at("badge").dataset.kind = moving ? "live" : "wait";
    at("resume").hidden = state !== "stopped" && state !== "refused";
    let words = { what: sentence(state, moving ? shown() : ""), advice: "" };
    if (problem) words = Village.explain(why(problem), problem.status);
    else if (moving && trouble) words.advice = Village.explain(trouble).what;
    if (at("state").textContent !== words.what) at("state").textContent = words.what;
    at("advice").textContent = words.advice;
    if (problem && problem.status === 401) Village.toSignIn();
    badge();
    stills(!moving && state !== "hidden" && state !== "stopped");
    if (state === "stopped" || state === "hidden") stopAsking();
    else startAsking(); // stills cost data, too; a stutter does not begin it anew
  }

  /** The camera's own trouble says more than "offline" does. */
  function why(problem) {
    return problem.status === 409 && trouble ? trouble : problem.code;
  }

  function badge() {
    const moving = player.playing;
    const waits = player.state === "joining" || player.state === "connecting";
    const key = moving ? "state.live" : taken ? "state.still" : waits ? "state.joining" : "state.none";
    const time = taken ? taken.toLocaleTimeString(document.documentElement.lang) : "";
    at("badge").textContent = Village.say(key, { time });
  }

  async function lookAtCamera() {
    if (document.hidden) return;
    try {
      const answer = await (await Village.ask(here)).json();
      const before = trouble;
      trouble = answer.trouble || "";
      if (trouble !== before) show(player.state, player.problem);
      const gone = before && !trouble && answer.online;
      if (gone && /^(waiting|refused)$/.test(player.state)) player.play();
    } catch (error) {
      if (error.status === 401) Village.toSignIn(); // any other: the player tells
    }
  }

  // Stills while nothing moves.

  /** What was last seen stays in sight, as a still with its time. */
  function keepLastFrame() {
    if (!video.videoWidth) return;
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext("2d").drawImage(video, 0, 0);
    taken = new Date();
    canvas.toBlob((blob) => blob && still.show(blob), "image/jpeg", 0.8);
  }

  function stills(wanted) {
    stillsWanted = wanted;
    if (!wanted) {
      clearTimeout(stillTimer);
      stillTimer = 0;
    } else if (!stillTimer && !stillsAsked && !stillsRefused) {
      nextStill();
    }
  }

  async function nextStill() {
    let pause = STILL_EVERY;
    stillTimer = 0;
    stillsAsked = true;
    try {
      taken = await still.refresh();
      badge();
    } catch (error) {
      if (error.status === 401) Village.toSignIn(); // any other: the state says why
      stillsRefused = error.status === 403 || error.status === 404;
      pause = Math.max(STILL_AGAIN, error.retryAfter * 1000);
    }
    stillsAsked = false;
    if (stillsWanted && !stillsRefused) stillTimer = setTimeout(nextStill, pause);
  }

  // Still watching?

  function startAsking() {
    const known = (navigator.connection || {}).type; // not every browser tells
    if (askTimer || endTimer || known === "wifi" || known === "ethernet") return;
    askTimer = setTimeout(askWhetherWatching, ASK_AFTER);
  }

  function stopAsking() {
    clearTimeout(askTimer);
    clearTimeout(endTimer);
    askTimer = endTimer = 0;
    at("ask").hidden = true;
  }

  function askWhetherWatching() {
    askTimer = 0;
    endTimer = setTimeout(() => player.stop(), ANSWER_WITHIN);
    at("ask").hidden = false;
    at("ask-yes").focus();
  }

  function goOn() {
    const stopped = !endTimer;
    clearTimeout(endTimer);
    endTimer = 0;
    at("ask").hidden = true;
    if (stopped) player.play();
    else startAsking();
  }

  // Why? Asked of whoever is not of the household or its family, and written down (PRM-14).

  function askWhy(form) {
    at("state").textContent = Village.say("live.why.first");
    at("stage").hidden = true; // the form stands in the picture's place
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const chosen = form.querySelector("input:checked");
      const words = at("reason").value.trim();
      if (chosen.dataset.reason === "yes" && !words) {
        at("why-error").textContent = Village.say("live.why.missing");
        at("reason").focus();
        return;
      }
      said.purpose = still.purpose = chosen.value;
      said.reason = words;
      stillsRefused = chosen.dataset.reason === "yes"; // words belong in no address
      form.hidden = true;
      at("stage").hidden = false;
      start();
    });
  }

  function start() {
    player.prepare();
    player.play();
    lookAtCamera();
    setInterval(lookAtCamera, STATE_EVERY);
  }

  // What can be pressed.

  function toggleChoices() {
    const open = at("choices").hidden;
    at("choices").hidden = !open;
    at("quality").setAttribute("aria-expanded", String(open));
    if (open) at("choices").querySelector("input:checked").focus();
  }

  function closeChoices() {
    if (at("choices").hidden) return;
    toggleChoices();
    at("quality").focus();
  }

  function toggleSound() {
    video.muted = !video.muted;
    at("sound").setAttribute("aria-pressed", String(!video.muted));
  }

  function toggleFull() {
    const stage = at("stage");
    if (document.fullscreenElement) document.exitFullscreen();
    else if (stage.requestFullscreen) stage.requestFullscreen();
    else if (video.webkitEnterFullscreen) video.webkitEnterFullscreen(); // iPhone
  }

  at("resume").addEventListener("click", () => {
    stillsRefused = Boolean(said.reason);
    video.play().catch(() => {}); // within the press, so that a phone that saves power allows it
    player.play();
  });
  at("ask-yes").addEventListener("click", goOn);
  at("quality").addEventListener("click", toggleChoices);
  at("full").addEventListener("click", toggleFull);
  if (at("sound")) at("sound").addEventListener("click", toggleSound);
  at("choices").addEventListener("change", (event) => choose(event.target.value));
  at("choices").addEventListener("click", (event) => {
    // A finger or mouse has chosen; arrow keys (no screen position) may want to go on.
    if (event.target.type === "radio" && event.screenX + event.screenY > 0) closeChoices();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") closeChoices();
  });
  video.addEventListener("resize", describeQuality);

  describeQuality();
  if (at("why")) askWhy(at("why"));
  else start();
})();
