/* VillagePlayer: plays one camera by WHEP (draft-ietf-wish-whep; RFC 9725 for what both share).
 *
 *   const player = new VillagePlayer({
 *     video: element,                    // muted video element
 *     endpoint: () => url,               // where to POST the offer; a text or a function
 *     token: () => promise,              // {token, expires_in?, ice_servers?} or a text; "" for none
 *     audio: false,                      // also ask for sound
 *     onState: (state, problem) => {},   // see STATES
 *   });
 *   player.prepare();                    // optional: what can be done before play
 *   player.play();
 *   player.stop();
 *
 * It keeps the picture going by itself: joins again after 3 s without a frame, restarts ICE when
 * the network changes, waits as long as `Retry-After` says, stops while the page is hidden.
 *
 * STATES: "joining" (asking), "connecting" (answered, no picture yet), "playing", "stalled" (no
 * frame for 3 s, joining again), "waiting" (refused or failed; `problem` says why, tries again by
 * itself), "refused" (the same, but does not), "hidden" (the page is), "stopped".
 *
 * ES2018, no modules, no dependencies.
 */
(function (global) {
  "use strict";

  const FRAME_WAIT = 3000; // ms without a frame, then the page joins again
  const FIRST_WAIT = 8000; // ms for the first one: a cold pull, through TURN, on a poor line
  const RELAY_AFTER = 1500; // ms without a connection, then ICE servers learned late are tried
  const LOST_AFTER = 1000; // ms of "disconnected", then ICE is restarted
  const ANSWER_WAIT = 10000; // ms for an answer of the hub
  const FIRST_PAUSE = 1000; // ms before trying again, doubled each time
  const LONGEST_PAUSE = 10000;
  const TICK = 250;

  const SDP = "application/sdp";
  const FRAGMENT = "application/trickle-ice-sdpfrag";
  const FINAL = [400, 401, 403, 404, 406, 415, 422]; // trying again by itself changes nothing
  const OURS = ["no_h264", "no_webrtc", "needs_tap"]; // nor for these, which no hub says

  class Problem extends Error {
    /** Why not: `code` as the hub names it, HTTP `status` (0: none), `retryAfter` in seconds. */
    constructor(code, status, retryAfter) {
      super(code);
      this.code = code;
      this.status = status || 0;
      this.retryAfter = retryAfter || 0;
    }

    get final() {
      return FINAL.indexOf(this.status) >= 0 || OURS.indexOf(this.code) >= 0;
    }
  }

  /** The Problem that an answer other than 2xx stands for (RFC 9457). */
  async function problemOf(response) {
    let body = null;
    try {
      body = await response.json();
    } catch (error) {
      body = null; // not JSON: a proxy's page
    }
    const named = body && typeof body.code === "string" ? body.code : "";
    const code = named || (response.status >= 500 ? "server" : "unknown");
    return new Problem(code, response.status, Number(response.headers.get("Retry-After")) || 0);
  }

  /** fetch that ends after ANSWER_WAIT; a dead network is a Problem like any other. */
  async function ask(url, request) {
    const cancel = new AbortController();
    const timer = setTimeout(() => cancel.abort(), ANSWER_WAIT);
    try {
      return await fetch(url, Object.assign({ signal: cancel.signal, cache: "no-store" }, request));
    } catch (error) {
      throw new Problem(cancel.signal.aborted ? "no_answer" : "no_network");
    } finally {
      clearTimeout(timer);
    }
  }

  /** ICE servers of a Link header: `<turn:host>; rel="ice-server"; username="u"; credential="c"`. */
  function iceServers(header) {
    const servers = [];
    const links = /<([^>]*)>((?:\s*;\s*[\w-]+\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^";,\s]+))*)/g;
    let link = links.exec(header || "");
    while (link) {
      const values = {};
      link[2].replace(/([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^";,\s]+))/g, (whole, name, quoted, bare) => {
        values[name.toLowerCase()] = quoted === undefined ? bare : quoted.replace(/\\(.)/g, "$1");
        return "";
      });
      if (values.rel === "ice-server") {
        const server = { urls: link[1] };
        if (values.username !== undefined) server.username = values.username;
        if (values.credential !== undefined) server.credential = values.credential;
        servers.push(server);
      }
      link = links.exec(header);
    }
    return servers;
  }

  function addressesOf(servers) {
    return servers.map((server) => [].concat(server.urls).join()).join();
  }

  function linesOf(text) {
    return text.split(/\r\n|\n/).filter((line) => line);
  }

  function valueOf(lines, name) {
    const found = lines.find((line) => line.indexOf(name) === 0);
    return found ? found.slice(name.length) : "";
  }

  /** The sdpfrag (RFC 8840) that carries the ICE credentials and candidates of a description. */
  function fragmentOf(sdp) {
    const lines = linesOf(sdp);
    const first = lines.findIndex((line) => line.indexOf("m=") === 0);
    const next = lines.findIndex((line, at) => at > first && line.indexOf("m=") === 0);
    const section = lines.slice(first, next < 0 ? lines.length : next);
    const kept = ["a=mid:", "a=ice-ufrag:", "a=ice-pwd:", "a=candidate:"];
    const wanted = section.filter((line) => kept.some((name) => line.indexOf(name) === 0));
    const group = lines.filter((line) => line.indexOf("a=group:BUNDLE") === 0);
    return group.concat(section[0], wanted).join("\r\n") + "\r\n";
  }

  /** The answer `sdp` with the ICE credentials and candidates of the sdpfrag `fragment`. */
  function withFragment(sdp, fragment) {
    const fresh = linesOf(fragment);
    const ufrag = valueOf(fresh, "a=ice-ufrag:");
    const pwd = valueOf(fresh, "a=ice-pwd:");
    const candidates = fresh.filter((line) => line.indexOf("a=candidate:") === 0);
    if (!ufrag || !pwd) throw new Problem("bad_answer");
    const lines = [];
    let placed = false;
    linesOf(sdp).forEach((line) => {
      if (line.indexOf("a=ice-ufrag:") === 0) {
        lines.push("a=ice-ufrag:" + ufrag);
      } else if (line.indexOf("a=ice-pwd:") === 0) {
        lines.push("a=ice-pwd:" + pwd);
      } else if (line.indexOf("a=candidate:") !== 0 || !candidates.length) {
        lines.push(line);
      } else if (!placed) {
        placed = true;
        candidates.forEach((candidate) => lines.push(candidate));
      }
    });
    return lines.join("\r\n") + "\r\n";
  }

  /** H.264 and its retransmissions only: the hub has nothing else, and the offer stays small. */
  function preferH264(transceiver) {
    if (!global.RTCRtpReceiver || !RTCRtpReceiver.getCapabilities) return;
    const known = RTCRtpReceiver.getCapabilities("video").codecs;
    const wanted = known.filter((codec) => /^video\/(h264|rtx)$/i.test(codec.mimeType));
    if (!wanted.some((codec) => /h264/i.test(codec.mimeType))) throw new Problem("no_h264");
    if (transceiver.setCodecPreferences) transceiver.setCodecPreferences(wanted);
  }

  /** One WHEP session: from the offer to the DELETE. */
  class Session {
    constructor(audio, onTrack, onLost, onEnded) {
      if (!global.RTCPeerConnection) throw new Problem("no_webrtc");
      this.closed = false;
      this.location = "";
      this.token = "";
      this.restarting = false;
      this.lateServers = false;
      this.link = "";
      this._audio = audio;
      this._onTrack = onTrack;
      this._onLost = onLost;
      this._onEnded = onEnded;
      this._timer = 0;
      this._config = { bundlePolicy: "max-bundle", rtcpMuxPolicy: "require", iceServers: [] };
      this._open();
      preferH264(this.pc.addTransceiver("video", { direction: "recvonly" }));
      if (audio) this.pc.addTransceiver("audio", { direction: "recvonly" });
      this._offer = this.pc.createOffer(); // makes the certificate now, not when play is pressed
      this._offer.catch(() => {}); // told to whoever awaits it in start()
    }

    _open() {
      const pc = (this.pc = new RTCPeerConnection(this._config));
      pc.ontrack = (event) => {
        const receiver = event.receiver;
        if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0;
        else if ("playoutDelayHint" in receiver) receiver.playoutDelayHint = 0;
        const transport = receiver.transport; // older browsers have none
        if (transport) transport.onstatechange = () => this._dtlsChanged(transport.state);
        if (!this.closed) this._onTrack(event.track);
      };
      pc.oniceconnectionstatechange = () => this._iceChanged();
    }

    _iceChanged() {
      clearTimeout(this._timer);
      if (this.closed) return;
      if (this.pc.iceConnectionState === "failed") this._onLost();
      if (this.pc.iceConnectionState === "disconnected") {
        this._timer = setTimeout(() => this._onLost(), LOST_AFTER);
      }
    }

    /** The hub said goodbye (close_notify): permission withdrawn, home switched off, restart. */
    _dtlsChanged(state) {
      if (!this.closed && (state === "closed" || state === "failed")) this._onEnded();
    }

    get connected() {
      return /^(connected|completed)$/.test(this.pc.iceConnectionState);
    }

    /** Use `servers` for what is gathered from now on. */
    useServers(servers) {
      this._config.iceServers = servers;
      if (!this.closed && this.pc.setConfiguration) this.pc.setConfiguration(this._config);
    }

    /** POST the offer and apply the answer. `pass(fresh)` gives the media token. */
    async start(url, pass) {
      const first = await pass(false);
      if (first.iceServers.length) this.useServers(first.iceServers);
      await this.pc.setLocalDescription(await this._offer);
      let response = await this._post(url, first.token);
      if (response.status === 401) response = await this._post(url, (await pass(true)).token);
      this._note(response);
      if (this.closed) return this._delete(); // stopped while the hub was answering
      if (response.status === 201) return this._answered(response);
      if (response.status === 406 && this._isSdp(response)) return this._counter(response);
      throw await problemOf(response);
    }

    _post(url, token) {
      this.token = token;
      const body = this.pc.localDescription.sdp;
      return ask(url, { method: "POST", headers: this._headers({ "Content-Type": SDP }), body });
    }

    _headers(more) {
      return this.token ? Object.assign({ Authorization: "Bearer " + this.token }, more) : more;
    }

    _isSdp(response) {
      return (response.headers.get("Content-Type") || "").split(";")[0].trim() === SDP;
    }

    _note(response) {
      const location = response.headers.get("Location");
      if (location && (response.status === 201 || response.status === 406)) {
        this.location = new URL(location, response.url).href;
      }
      this.link = response.headers.get("Link") || "";
    }

    async _answered(response) {
      const sdp = await response.text();
      if (this.closed) return;
      await this._describe({ type: "answer", sdp });
    }

    /** A counter-offer (WHEP, 406): the hub offers, this side answers by PATCH. */
    async _counter(response) {
      const sdp = await response.text();
      this._replace();
      await this._describe({ type: "offer", sdp });
      if (this.closed) return;
      await this.pc.setLocalDescription(await this.pc.createAnswer());
      const answer = await ask(this.location, {
        method: "PATCH",
        headers: this._headers({ "Content-Type": SDP }),
        body: this.pc.localDescription.sdp,
      });
      if (!answer.ok) throw await problemOf(answer);
    }

    _replace() {
      this.pc.close();
      this._open();
    }

    async _describe(description) {
      try {
        await this.pc.setRemoteDescription(description);
      } catch (error) {
        if (!this.closed) throw new Problem("bad_answer");
      }
    }

    /** ICE restart (RFC 9725 section 4.3.2). False when this session cannot go on. */
    async restart() {
      if (this.closed || !this.location || this.pc.signalingState !== "stable") return false;
      if (this.restarting) return true;
      this.restarting = true;
      try {
        return await this._restart();
      } catch (error) {
        return false; // the watchdog joins again
      } finally {
        this.restarting = false;
      }
    }

    async _restart() {
      await this.pc.setLocalDescription(await this.pc.createOffer({ iceRestart: true }));
      const response = await ask(this.location, {
        method: "PATCH",
        headers: this._headers({ "Content-Type": FRAGMENT, "If-Match": '"*"' }),
        body: fragmentOf(this.pc.localDescription.sdp),
      });
      if (this.closed) return false;
      if (response.status !== 200) {
        await this.pc.setLocalDescription({ type: "rollback" });
        return false;
      }
      const sdp = withFragment(this.pc.currentRemoteDescription.sdp, await response.text());
      await this._describe({ type: "answer", sdp });
      return true;
    }

    close() {
      if (this.closed) return;
      this.closed = true;
      clearTimeout(this._timer);
      this.pc.ontrack = this.pc.oniceconnectionstatechange = null;
      this.pc.close();
      this._delete();
    }

    /** Tell the hub; `keepalive` lets it finish while the page is closed. 404 is as good as 200. */
    _delete() {
      const location = this.location;
      this.location = "";
      if (!location) return;
      const request = { method: "DELETE", headers: this._headers({}), keepalive: true };
      fetch(location, request).catch(() => {}); // unheard, the hub ends it by itself
    }
  }

  /** A token getter's answer in one shape. */
  function passOf(answer) {
    const given = typeof answer === "string" ? { token: answer } : answer;
    const lasts = given.expires_in ? given.expires_in * 1000 : Infinity;
    return {
      token: given.token || "",
      iceServers: given.ice_servers || [],
      until: performance.now() + lasts * 0.9,
    };
  }

  class VillagePlayer {
    constructor(options) {
      this.options = Object.assign({ audio: false, token: () => "", onState: () => {} }, options);
      this.state = "stopped";
      this.timing = {};
      this.counts = { joins: 0, restarts: 0, stalls: 0 };
      this._wanted = false;
      this._turn = 0; // goes up with each session, so that late news of an old one is ignored
      this._session = null;
      this._ready = null;
      this._pass = null;
      this._servers = [];
      this._failures = 0;
      this._retry = 0;
      this._tick = 0;
      this._frameAt = 0;
      this._decoded = 0;
      this._listen();
    }

    /** Fetch the token and make the offer now, so that play costs one round trip. */
    prepare() {
      this._getPass(false).catch(() => {}); // told when it is used
      if (!this._ready && !this._session) this._ready = this._tryOpen();
    }

    play() {
      this._wanted = true;
      this._failures = 0;
      if (document.hidden) this._say("hidden");
      else this._join("joining");
    }

    stop() {
      this._wanted = false;
      this._leave();
      this._say("stopped");
    }

    /** Where this session lives, for calls about it; "" when there is none. */
    get location() {
      return this._session ? this._session.location : "";
    }

    get playing() {
      return this.state === "playing";
    }

    // Joining and leaving.

    _tryOpen() {
      try {
        return new Session(
          this.options.audio,
          (track) => this._show(track),
          () => this._repair(),
          () => this._ended()
        );
      } catch (error) {
        if (error instanceof Problem) return error;
        return new Problem("no_webrtc");
      }
    }

    async _join(state) {
      this._leave();
      const turn = ++this._turn;
      this.counts.joins += 1;
      this.timing = { asked: performance.now() };
      this._say(state, state === "waiting" ? this.problem : null);
      const session = this._ready || this._tryOpen();
      this._ready = null;
      if (session instanceof Problem) {
        this._failed(session);
        return;
      }
      this._session = session;
      try {
        await session.start(this._endpoint(), (fresh) => this._getPass(fresh));
      } catch (error) {
        if (turn === this._turn) this._failed(error);
        return;
      }
      if (turn === this._turn) this._answered(session);
    }

    _answered(session) {
      this.timing.answered = performance.now();
      const learned = iceServers(session.link);
      // Each answer has credentials of its own; only a server not yet known is news.
      if (learned.length && addressesOf(learned) !== addressesOf(this._passServers())) {
        this._servers = learned;
        session.useServers(learned);
        session.lateServers = true;
      }
      this._frameAt = performance.now();
      this._decoded = 0;
      if (!this.timing.firstFrame) this._say("connecting");
      this._tick = setInterval(() => this._watch(), TICK);
      this._awaitFrame();
    }

    _leave() {
      this._turn += 1;
      clearTimeout(this._retry);
      clearInterval(this._tick);
      if (this._session) this._session.close();
      this._session = null;
    }

    _failed(error) {
      const problem = error instanceof Problem ? error : new Problem("unknown");
      this._leave();
      if (problem.status === 401) this._pass = null;
      if (problem.final) {
        this._say("refused", problem);
        return;
      }
      const pause = Math.min(FIRST_PAUSE * Math.pow(2, this._failures), LONGEST_PAUSE);
      this._failures += 1;
      this._say("waiting", problem);
      const wait = problem.retryAfter * 1000 || pause * (0.8 + 0.4 * Math.random());
      this._retry = setTimeout(() => this._join("waiting"), Math.min(wait, 30000));
    }

    _endpoint() {
      const endpoint = this.options.endpoint;
      return typeof endpoint === "function" ? endpoint() : endpoint;
    }

    _getPass(fresh) {
      const kept = this._pass;
      if (kept && !fresh && !(kept.until < performance.now())) return kept.promise;
      const pass = { until: Infinity };
      pass.promise = Promise.resolve(this.options.token(fresh)).then((answer) => {
        const given = passOf(answer);
        pass.until = given.until;
        pass.servers = given.iceServers;
        if (!given.iceServers.length) given.iceServers = this._servers;
        return given;
      });
      this._pass = pass;
      pass.promise.catch(() => {
        if (this._pass === pass) this._pass = null;
      });
      return pass.promise;
    }

    _passServers() {
      const given = this._pass && this._pass.servers;
      return given && given.length ? given : this._servers;
    }

    // The picture and its watchdog.

    _show(track) {
      const video = this.options.video;
      if (track.kind === "video" || !(video.srcObject instanceof MediaStream)) {
        this._stream = new MediaStream();
        video.srcObject = this._stream;
      }
      this._stream.addTrack(track);
      const turn = this._turn;
      const started = video.play();
      if (!started) return; // older browsers
      started.catch((error) => {
        // Even muted: an iPhone that saves power. (A newer srcObject interrupts it, too.)
        const forbidden = error.name === "NotAllowedError" && turn === this._turn;
        if (forbidden) this._failed(new Problem("needs_tap"));
      });
    }

    _awaitFrame() {
      const video = this.options.video;
      if (!video.requestVideoFrameCallback) return;
      const turn = this._turn;
      const seen = () => {
        if (turn !== this._turn) return;
        this._seen();
        video.requestVideoFrameCallback(seen);
      };
      video.requestVideoFrameCallback(seen);
    }

    _seen() {
      this._frameAt = performance.now();
      if (!this.timing.firstFrame) this.timing.firstFrame = this._frameAt;
      this._failures = 0;
      if (this.state !== "playing") this._say("playing");
    }

    async _watch() {
      const session = this._session;
      const turn = this._turn;
      const quiet = performance.now() - this._frameAt;
      const first = !this.timing.firstFrame;
      if (first && session.lateServers && !session.connected && quiet > RELAY_AFTER) {
        session.lateServers = false;
        this._repair();
      }
      // A video that is scrolled away paints nothing and is still alive: ask the decoder too.
      if (quiet < 500 && this.options.video.requestVideoFrameCallback) return;
      const decoded = (await this.stats()).framesDecoded;
      if (turn !== this._turn) return;
      if (decoded > this._decoded) {
        this._decoded = decoded;
        if (!first || !this.options.video.requestVideoFrameCallback) this._seen();
        return;
      }
      if (performance.now() - this._frameAt > (first ? FIRST_WAIT : FRAME_WAIT)) this._stalled(first);
    }

    _stalled(first) {
      this.counts.stalls += 1;
      if (first) this._failed(new Problem(this._session.connected ? "no_picture" : "no_way"));
      else this._join("stalled");
    }

    /** The session was ended from the other side: ask why, or for a new one. */
    _ended() {
      const steady = performance.now() - this.timing.firstFrame > FRAME_WAIT;
      if (steady) this._join("stalled");
      else this._failed(new Problem("no_picture")); // with a pause: it may end each one so
    }

    /** The way to the hub is gone or new: restart ICE, or else join again. */
    async _repair() {
      const turn = this._turn;
      if (!this._session) return;
      this.counts.restarts += 1;
      const going = await this._session.restart();
      if (!going && turn === this._turn && this.state === "playing") this._join("stalled");
    }

    // The page and the network around it.

    _listen() {
      document.addEventListener("visibilitychange", () => this._visible(!document.hidden));
      global.addEventListener("pagehide", () => this._visible(false));
      global.addEventListener("pageshow", (event) => {
        if (event.persisted) this._visible(true);
      });
      global.addEventListener("online", () => this._networkChanged());
      const connection = global.navigator.connection;
      if (connection && connection.addEventListener && "type" in connection) {
        connection.addEventListener("change", () => this._networkChanged());
      }
    }

    _visible(visible) {
      if (!this._wanted) return;
      if (!visible) {
        this._leave();
        this._say("hidden");
      } else if (this.state === "hidden") {
        this._join("joining");
      }
    }

    _networkChanged() {
      if (!this._wanted || document.hidden) return;
      if (this.state === "playing" || this.state === "connecting") this._repair();
      else if (this.state === "waiting") this._join("waiting");
    }

    _say(state, problem) {
      this.state = state;
      this.problem = problem || null;
      this.options.onState(state, this.problem);
    }

    /** Numbers for tests and for a person who asks why it stutters. */
    async stats() {
      const numbers = Object.assign({ state: this.state, framesDecoded: 0 }, this.counts, this.timing);
      const session = this._session;
      if (!session || session.closed) return numbers;
      const reports = await session.pc.getStats();
      reports.forEach((report) => {
        if (report.type === "inbound-rtp" && report.kind === "video") takeVideo(numbers, report);
        if (report.type === "transport") takeTransport(numbers, report, reports);
      });
      return numbers;
    }
  }

  function takeVideo(numbers, report) {
    numbers.framesDecoded = report.framesDecoded || 0;
    numbers.framesDropped = report.framesDropped || 0;
    numbers.framesReceived = report.framesReceived || 0;
    numbers.keyFramesDecoded = report.keyFramesDecoded || 0;
    numbers.frameWidth = report.frameWidth || 0;
    numbers.frameHeight = report.frameHeight || 0;
    numbers.packetsReceived = report.packetsReceived || 0;
    numbers.packetsLost = report.packetsLost || 0;
    numbers.bytesReceived = report.bytesReceived || 0;
    numbers.nackCount = report.nackCount || 0;
    numbers.pliCount = report.pliCount || 0;
    numbers.freezeCount = report.freezeCount || 0;
    numbers.jitterBufferDelay = report.jitterBufferDelay || 0;
    numbers.jitterBufferEmittedCount = report.jitterBufferEmittedCount || 0;
  }

  function takeTransport(numbers, report, reports) {
    numbers.srtpCipher = report.srtpCipher || "";
    const pair = reports.get(report.selectedCandidatePairId);
    const local = pair && reports.get(pair.localCandidateId);
    if (!local) return;
    numbers.roundTrip = pair.currentRoundTripTime || 0;
    numbers.candidateType = local.candidateType;
    numbers.relayProtocol = local.relayProtocol || "";
  }

  VillagePlayer.iceServers = iceServers;
  VillagePlayer.fragmentOf = fragmentOf;
  VillagePlayer.withFragment = withFragment;
  global.VillagePlayer = VillagePlayer;
})(window);
