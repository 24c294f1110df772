"use strict";
// What a reader does with the page: sort, filter, open. Texts of the data reach the page as text nodes only.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const STEP = 60;

  function el(name, properties, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(properties || {})) {
      if (value === null || value === undefined) continue;
      if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
      else made.setAttribute(key, value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  }

  const figure = (value) =>
    value === null ? "–" : Math.abs(value) <= 1 ? value.toFixed(3) : value.toLocaleString("en", { maximumFractionDigits: 1 });

  function fill(select, choices) {
    for (const [value, text] of choices) select.append(el("option", { value }, text));
  }

  // What the reader chose stands in the address, so that a link or a reload shows the same: the section, then
  // the choices that are not those of a fresh page, by what they say, since numbers change from report to report.
  const CONTROLS = ["board-models", "board-tasks", "confusion-task", "confusion-model",
    ...["task", "dimension", "model", "status", "other", "text"].map((name) => `items-${name}`)];
  const fresh = {};
  const chose = {};
  let section = "";
  let restoring = true;
  const saidBy = (control) => (control.tagName === "SELECT" ? (control.selectedOptions[0] || { text: "" }).text : control.value);

  function keep(name, value) {
    if (value) chose[name] = value;
    else delete chose[name];
    if (restoring) return;
    for (const id of CONTROLS) {
      const control = byId(id);
      if (control && saidBy(control) !== fresh[id]) chose[id] = saidBy(control);
      else delete chose[id];
    }
    const query = new URLSearchParams(chose).toString();
    try {
      history.replaceState(null, "", `#${section}${query ? `?${query}` : ""}`);
    } catch {
      // A frame without an address of its own shows the page all the same.
    }
  }

  function put(control, text) {
    if (control.tagName === "SELECT") {
      const option = [...control.options].find((each) => each.text === text);
      if (option) control.value = option.value;
    } else control.value = text;
  }

  function go(name) {
    section = name;
    const place = byId(name);
    if (place) place.scrollIntoView();
    keep();
  }

  // Theme: as the system says, or as the reader does.
  const theme = byId("theme");
  const themes = ["auto", "light", "dark"];
  function light(next) {
    if (!themes.includes(next)) return;
    document.documentElement.dataset.theme = next;
    theme.textContent = `theme: ${next}`;
    keep("theme", next === "auto" ? null : next);
  }
  theme.addEventListener("click", () => {
    light(themes[(themes.indexOf(document.documentElement.dataset.theme || "auto") + 1) % themes.length]);
  });

  // Board.
  let sortBoard = () => {};
  function board() {
    const table = byId("board-table");
    const heads = [...table.tHead.rows[0].cells];
    const body = table.tBodies[0];
    const value = (row, column) => row.cells[column].dataset.value;

    function order(column, falling) {
      const sign = falling ? -1 : 1;
      const rows = [...body.rows].sort((a, b) => {
        const [x, y] = [value(a, column), value(b, column)];
        if (x === undefined || y === undefined) return (x === undefined) - (y === undefined);
        return sign * (column === 1 ? x.localeCompare(y, "en", { numeric: true }) : x - y);
      });
      body.append(...rows);
    }

    const named = (head) => head.querySelector(".name").textContent;
    function sort(column, falling) {
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      heads[column].setAttribute("aria-sort", falling ? "descending" : "ascending");
      order(column, falling);
      keep("sort", column || falling ? `${falling ? "-" : ""}${named(heads[column])}` : null);
    }
    heads.forEach((head, column) => {
      head.querySelector("button").addEventListener("click", () => {
        const was = head.getAttribute("aria-sort");
        sort(column, was ? was === "ascending" : column > 1);
      });
    });
    sortBoard = (text) => {
      const exact = heads.findIndex((head) => named(head) === text);
      const column = exact >= 0 ? exact : heads.findIndex((head) => `-${named(head)}` === text);
      if (column >= 0) sort(column, exact < 0);
    };

    // A cell opens the items behind it, where the page has some.
    for (const cell of body.querySelectorAll("td.task[data-value]")) {
      const reference = heads[cell.cellIndex];
      const task = data.tasks.find((each) => each.name === named(reference));
      const model = data.models.indexOf(cell.parentElement.querySelector("th").dataset.value);
      if (!task || !task.items.some((item) => item.answers.some((answer) => answer[0] === model))) continue;
      const text = cell.querySelector("span");
      const label = `${text.textContent}: items of ${data.models[model]} on ${task.name}`;
      text.replaceWith(el("button", { type: "button", class: "opens", "aria-label": label, onclick: () => openItems(task.name, model) }, text.textContent));
    }

    const models = byId("board-models");
    const tasks = byId("board-tasks");
    const columns = heads.filter((head) => head.dataset.task !== undefined).length;
    function filter() {
      const [model, task] = [models.value.trim().toLowerCase(), tasks.value.trim().toLowerCase()];
      let [rows, shown] = [0, 0];
      for (const row of body.rows) {
        row.hidden = !row.dataset.model.includes(model);
        rows += !row.hidden;
      }
      for (const cell of table.querySelectorAll("[data-task]")) {
        cell.hidden = !cell.dataset.task.includes(task);
        shown += cell.tagName === "TH" && !cell.hidden;
      }
      keep();
      byId("board-count").textContent = `${rows} of ${body.rows.length} models, ${shown} of ${columns} tasks`;
    }
    for (const input of [models, tasks]) input.addEventListener("input", filter);
    filter();
  }

  // Charts: a button of the legend hides its series.
  for (const plot of document.querySelectorAll(".plot")) {
    for (const key of plot.querySelectorAll(".key")) {
      key.addEventListener("click", () => {
        const shown = key.getAttribute("aria-pressed") !== "true";
        key.setAttribute("aria-pressed", shown);
        for (const series of plot.querySelectorAll(`g[data-series="${key.dataset.series}"]`)) {
          series.classList.toggle("off", !shown);
        }
      });
    }
  }

  // One dialog for pairs and items; Escape, the button and a click beside it close it.
  const dialog = byId("dialog");
  let step = null;
  function open(title, move, ...parts) {
    step = move;
    const close = el("button", { type: "button", class: "close", onclick: () => dialog.close(), "aria-label": "close" }, "✕");
    const held = dialog.open ? document.activeElement.getAttribute("aria-label") : null;
    dialog.replaceChildren(el("h3", { id: "dialog-title" }, title), close, ...parts);
    if (!dialog.open) dialog.showModal();
    // What had the focus is gone with the item before; who steps by keyboard stays on the same button.
    else ([...dialog.querySelectorAll("button")].find((button) => button.getAttribute("aria-label") === held) || close).focus();
    dialog.scrollTop = 0;
  }
  dialog.addEventListener("close", () => {
    delete chose.pair;
    keep("item", null);
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.target.type === "range") return; // there the arrows are the frames' own
    if (step && event.key === "ArrowRight") step(1);
    if (step && event.key === "ArrowLeft") step(-1);
  });

  function headRow(names, figures) {
    const cells = [...names.map((name) => [name, null]), ...figures.map((name) => [name, "figure"])];
    return el("tr", null, ...cells.map(([name, kind]) => el("th", { scope: "col", class: kind }, name)));
  }
  const tableOf = (head, rows) =>
    el("div", { class: "wide" }, el("table", null, el("thead", null, head), el("tbody", null, ...rows)));

  // Pairs.
  function pairs() {
    for (const cell of document.querySelectorAll("button.pair")) {
      cell.addEventListener("click", () => pair(Number(cell.dataset.one), Number(cell.dataset.two)));
    }
  }

  const opposite = { better: "worse", worse: "better", tied: "tied" };
  function pair(one, two) {
    const turned = one > two;
    const held = data.pairs[turned ? `${two}-${one}` : `${one}-${two}`];
    const rows = held.map(([task, difference, low, high, p, verdict]) => {
      const own = turned ? opposite[verdict] : verdict;
      const ends = low === null ? "–" : turned ? `${figure(-high)} … ${figure(-low)}` : `${figure(low)} … ${figure(high)}`;
      return { own, size: turned ? -difference : difference, ends, p, task: data.tasks[task].name };
    });
    rows.sort((a, b) => b.size - a.size);
    const body = rows.map((row) =>
      el("tr", null,
        el("td", null, el("button", { type: "button", class: "opens", onclick: () => openItems(row.task, one, two) }, row.task)),
        el("td", { class: row.own }, row.own),
        el("td", { class: "figure" }, (row.size > 0 ? "+" : "") + figure(row.size)),
        el("td", { class: "figure" }, row.ends),
        el("td", { class: "figure" }, row.p < 0.001 ? "< 0.001" : row.p.toFixed(3))));
    const head = headRow(["task", "verdict"], ["difference", "95 % interval", "p (Holm)"]);
    open(`${data.models[one]} against ${data.models[two]}`, null, tableOf(head, body));
    keep("pair", `${data.models[one]}\n${data.models[two]}`);
  }

  // Confusions.
  function confusions() {
    const [task, model] = [byId("confusion-task"), byId("confusion-model")];
    const held = data.tasks.map((each, number) => [number, each]).filter(([, each]) => each.confusion);
    fill(task, held.map(([number, each]) => [number, each.name]));
    fill(model, data.models.map((name) => [name, name]));

    function draw() {
      keep();
      const { labels, counts } = data.tasks[task.value].confusion;
      const rows = counts[model.value];
      const place = byId("confusion-table");
      if (!rows) {
        place.replaceChildren(el("p", { class: "note" }, "This model was not asked this task."));
        return;
      }
      const heads = [...labels, "another", "no answer"];
      // A column that only ever holds zeros says nothing.
      const kept = heads.map((_, column) => column < labels.length || rows.some((row) => row[column]));
      const head = heads.map((name, column) => kept[column] && el("th", { scope: "col" }, el("span", null, name)));
      const body = rows.map((row, number) => {
        const total = row.reduce((sum, count) => sum + count, 0);
        const cells = row.map((count, column) => {
          if (!kept[column]) return null;
          const kind = [count ? `shade${Math.round((10 * count) / total)}` : "none"];
          if (column === number) kind.push("hit");
          if (column >= labels.length) kind.push("aside");
          const title = `${labels[number]} taken for ${heads[column]}: ${count} of ${total}`;
          const opened = { target: labels[number], column, labels, count };
          const button = count && data.tasks[task.value].items.length
            ? el("button", { type: "button", class: "opens", "aria-label": title, onclick: () => openItems(data.tasks[task.value].name, data.models.indexOf(model.value), -1, opened) }, String(count))
            : String(count);
          return el("td", { class: kind.join(" "), title }, button);
        });
        return el("tr", null, el("th", { scope: "row" }, labels[number]), ...cells);
      });
      const top = el("tr", null, el("td", null), ...head.filter(Boolean));
      place.replaceChildren(el("table", { class: "matrix" }, el("thead", null, top), el("tbody", null, ...body)));
    }
    for (const select of [task, model]) select.addEventListener("change", draw);
    draw();
  }

  // Items.
  const MODEL = 0, WRONG = 1, STATUS = 2, VALUE = 3, TEXT = 4, REPLY = 5, REASON = 6;
  const all = data.tasks.flatMap((task) => task.items.map((item) => ({ ...item, task })));
  let shown = [];
  let limit = STEP;
  let only = null; // a cell of a confusion matrix

  // Whether an answer stands in a cell: the column of its label, one of other answers, or one of those without any.
  function inCell(item, own) {
    if (!only) return true;
    if (item.target !== only.target || own[STATUS] === "error" && only.column <= only.labels.length) return false;
    const at = own[STATUS] === "ok" && own[TEXT] !== null ? only.labels.indexOf(own[TEXT]) : only.labels.length + 1;
    return (at < 0 ? only.labels.length : at) === only.column;
  }

  function openItems(task, model, other = -1, cell = null) {
    dialog.close();
    put(byId("items-task"), task);
    byId("items-dimension").value = byId("items-status").value = byId("items-text").value = "";
    byId("items-model").value = model;
    byId("items-other").value = other;
    only = cell;
    limit = STEP;
    go("items");
    wall();
    byId("items-task").focus({ preventScroll: true });
  }

  const answerOf = (item, model) => item.answers.find((answer) => answer[MODEL] === model);

  function words(item) {
    const answers = item.answers.flatMap((answer) => [answer[TEXT] || "", answer[REPLY] || ""]);
    return [item.id, item.task.name, item.question, item.target, ...answers].join("\n").toLowerCase();
  }

  function picture(key, item, what = "picture") {
    const source = data.pictures[key];
    if (!source) return blank(item);
    const image = el("img", { class: "picture", src: source, alt: `${what} of item ${item.id}`, title: item.frames ? what : null, width: 96, height: 96 });
    return item.size ? el("span", { class: "placed" }, image, places(item)) : image;
  }

  // Boxes and points as their texts tell them, over the picture: the true ones, and those of every model.
  function places(item) {
    const drawing = document.createRange().createContextualFragment("<svg></svg>").firstChild;
    const [width, height] = item.size;
    drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const texts = [["true", item.target], ...item.answers.filter((answer) => answer[STATUS] === "ok").map((answer) => ["said", answer[TEXT]])];
    for (const [kind, text] of texts) {
      for (const [, inside] of (text || "").matchAll(/\[([-\d., ]+)\]/g)) {
        const numbers = inside.split(",").map(Number);
        if (!numbers.every(Number.isFinite) || ![2, 4].includes(numbers.length)) continue;
        const [x, y, right, bottom] = numbers;
        const given = numbers.length === 4
          ? ["rect", { x, y, width: Math.max(right - x, 0), height: Math.max(bottom - y, 0) }]
          : ["circle", { cx: x, cy: y, r: Math.max(width, height) / 40 }];
        const shape = document.createElementNS(drawing.namespaceURI, given[0]);
        for (const [name, value] of Object.entries({ ...given[1], class: kind })) shape.setAttribute(name, value);
        drawing.append(shape);
      }
    }
    return drawing;
  }
  const blank = (item) => el("span", { class: "picture blank" }, item.locator || "no picture");
  const pictures = (item) =>
    item.frames
      ? el("span", { class: "strip" }, ...item.pictures.map((key, at) => picture(key, item, item.frames[at])))
      : el("span", { class: "pictures" }, ...(item.pictures ? item.pictures.map((key) => picture(key, item)) : [blank(item)]));

  // A clip plays when it is asked to, once, and not at all for who wants no motion: they step through its frames.
  const PACE = 300; // milliseconds
  function player(item) {
    const screen = el("span", { class: "screen" });
    const told = el("span", { class: "dim" });
    const last = item.pictures.length - 1;
    const slider = el("input", { type: "range", min: 0, max: last, value: 0, "aria-label": "frame", oninput: () => turn(Number(slider.value)) });
    let timer = null;
    function put(at) {
      slider.value = at;
      slider.setAttribute("aria-valuetext", item.frames[at]);
      told.textContent = item.frames[at];
      screen.replaceChildren(picture(item.pictures[at], item, item.frames[at]));
    }
    function stop() {
      clearInterval(timer);
      timer = null;
      button.textContent = "play";
    }
    function turn(at) {
      stop();
      put(at);
    }
    function tick() {
      const at = Number(slider.value) + 1;
      if (!slider.isConnected || !dialog.open || at > last) return stop();
      put(at);
    }
    function play() {
      if (timer) return stop();
      const from = Number(slider.value);
      if (matchMedia("(prefers-reduced-motion: reduce)").matches) return put(from < last ? from + 1 : 0);
      if (from === last) put(0);
      button.textContent = "stop";
      timer = setInterval(tick, PACE);
    }
    const button = el("button", { type: "button", onclick: play, "aria-label": "play the frames" }, "play");
    put(0);
    return el("div", { class: "player" }, screen, el("div", { class: "steps" }, button, slider, told));
  }

  const said = ([, , status, , text]) => (status === "ok" ? text || "–" : text ? `${text} (${status})` : status);

  const chosen = (name) => Number(byId(`items-${name}`).value);

  function matching() {
    const model = chosen("model");
    const other = chosen("other");
    const [task, dimension, status] = ["task", "dimension", "status"].map((name) => byId(`items-${name}`).value);
    const text = byId("items-text").value.trim().toLowerCase();
    const kept = all.filter((item) => {
      if (task && item.task.name !== task) return false;
      if (dimension && item.task.dimension !== dimension) return false;
      const own = answerOf(item, model);
      if (!own) return false;
      if (!inCell(item, own)) return false;
      if (status === "wrong" && !own[WRONG]) return false;
      if (status === "right" && own[WRONG]) return false;
      if (["unparsed", "refused", "error"].includes(status) && own[STATUS] !== status) return false;
      if (other >= 0) {
        const theirs = answerOf(item, other);
        if (!theirs || theirs[WRONG] === own[WRONG]) return false;
      }
      return !text || words(item).includes(text);
    });
    // The sort is stable: within wrong and right the order of the tasks stays.
    return kept.sort((a, b) => answerOf(b, model)[WRONG] - answerOf(a, model)[WRONG]);
  }

  function tile(item, number) {
    const own = answerOf(item, chosen("model"));
    const answer = el("span", { class: `said ${own[WRONG] ? "wrong" : "right"}`, dir: "auto" }, said(own));
    const parts = [
      el("small", null, `${item.task.name} · ${item.id}`),
      item.question ? el("span", { dir: "auto" }, item.question) : null,
      answer,
      item.target ? el("span", { class: "dim" }, "reference: ", el("bdi", null, item.target)) : null,
    ];
    const text = el("span", { class: "item-text" }, ...parts);
    const button = el("button", { type: "button", class: "item", onclick: () => show(number) }, pictures(item), text);
    return el("li", null, button);
  }

  function show(number) {
    const item = shown[number];
    const move = (by) => {
      if (shown[number + by]) show(number + by);
    };
    const facts = [
      ["reference", item.target],
      ["options", item.options && item.options.join(" · ")],
      ["prompt", item.prompt],
      ...Object.entries(item.facts || {}),
      ["task", item.task.name],
      ["item", item.id],
      ["source", item.locator],
    ].filter(([, value]) => value);
    const list = el("dl", null, ...facts.flatMap(([name, value]) => [el("dt", null, name), el("dd", { dir: "auto" }, value)]));
    const replied = item.answers.some((answer) => answer[REPLY]);
    const read = item.answers.some((answer) => answer[REASON]);
    const rows = item.answers.map((answer) =>
      el("tr", null,
        el("td", null, data.models[answer[MODEL]]),
        el("td", { class: `said ${answer[WRONG] ? "wrong" : "right"}`, dir: "auto" }, said(answer)),
        replied ? el("td", { class: "reply", dir: "auto" }, answer[REPLY] || "") : null,
        read ? el("td", { class: "reply", dir: "auto" }, answer[REASON] || "") : null,
        el("td", { class: "figure" }, figure(answer[VALUE]))));
    const head = headRow(["model", "answer", ...(replied ? ["reply"] : []), ...(read ? ["read because"] : [])], [item.task.metric]);
    const steps = el("div", { class: "steps" },
      el("button", { type: "button", onclick: () => move(-1), "aria-label": "previous item" }, "←"),
      el("button", { type: "button", onclick: () => move(1), "aria-label": "next item" }, "→"),
      el("span", { class: "dim" }, `${number + 1} of ${shown.length}`));
    open(item.question || `${item.task.name} · ${item.id}`, move, item.frames ? player(item) : "", pictures(item), list, tableOf(head, rows), steps);
    keep("item", `${item.task.name}\n${item.id}`);
  }

  function wall() {
    shown = matching();
    const more = byId("items-more");
    byId("items-wall").replaceChildren(...shown.slice(0, limit).map(tile));
    byId("items-count").textContent = `${shown.length} of ${all.length} items`;
    const chip = byId("items-cell");
    chip.hidden = !only;
    if (only) {
      const heads = [...only.labels, "another", "no answer"];
      chip.textContent = `${only.target} taken for ${heads[only.column]}: ${shown.length} of ${only.count} items are on this page ✕`;
    }
    keep("cell", only && `${only.target}\n${only.column}`);
    more.hidden = shown.length <= limit;
  }

  function items() {
    const names = data.models.map((name, number) => [number, name]);
    const dimensions = [...new Set(data.tasks.map((task) => task.dimension).filter(Boolean))];
    fill(byId("items-task"), [["", "all"], ...data.tasks.map((task) => [task.name, task.name])]);
    fill(byId("items-dimension"), [["", "all"], ...dimensions.map((name) => [name, name])]);
    fill(byId("items-model"), names);
    fill(byId("items-other"), [[-1, "–"], ...names]);
    fill(byId("items-status"), [["", "wrong first"], ...["wrong", "right", "unparsed", "refused", "error"].map((name) => [name, name])]);
    for (const name of ["task", "dimension", "model", "status", "other", "text"]) {
      byId(`items-${name}`).addEventListener("input", () => {
        limit = STEP;
        if (["task", "model"].includes(name)) only = null;
        wall();
      });
    }
    byId("items-cell").addEventListener("click", () => {
      only = null;
      wall();
      byId("items-task").focus();
    });
    byId("items-more").addEventListener("click", () => {
      const first = limit;
      limit += STEP;
      wall();
      byId("items-wall").children[first].querySelector("button").focus();
    });
    wall();
  }

  // Tables as CSV: what is shown, in the order it is shown, with the figures in full and the ends of their intervals.
  function csv(table) {
    const rows = [...table.rows].filter((row) => !row.hidden);
    const [head, ...body] = rows.map((row) => [...row.cells].filter((cell) => !cell.hidden));
    const wide = head.map((_, column) => body.some((cells) => cells[column] && cells[column].dataset.low !== undefined));
    const words = (cell) => {
      const held = cell.querySelector(".name") || cell;
      return [...held.childNodes].filter((node) => node.nodeName !== "SMALL").map((node) => node.textContent).join("").trim();
    };
    const cellOf = (cell) => (cell === undefined ? "" : cell.dataset.value !== undefined ? cell.dataset.value : words(cell));
    const lines = [
      head.flatMap((cell, column) => (wide[column] ? ["", " low", " high"].map((end) => words(cell) + end) : [words(cell)])),
      ...body.map((cells) => head.flatMap((_, column) => {
        const { low = "", high = "" } = cells[column] ? cells[column].dataset : {};
        return wide[column] ? [cellOf(cells[column]), low, high] : [cellOf(cells[column])];
      })),
    ];
    return lines.map((line) => line.map(quoted).join(",")).join("\r\n") + "\r\n";
  }

  // A spreadsheet takes a text that begins so for a formula.
  function quoted(text) {
    if (["-", "–"].includes(text)) return "";
    const safe = /^[=+\-@\t\r]/.test(text) && !/^[+-]?[\d.,]+(e[+-]?\d+)?( … [+-]?[\d.,]+)?$/i.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  }

  function tables() {
    for (const place of document.querySelectorAll(".scroll")) {
      const name = place.closest("section").id;
      const save = el("button", { type: "button", class: "csv", onclick: () => {
        const table = place.querySelector("table");
        if (table) el("a", { download: `mmbench-${name}.csv`, href: `data:text/csv;charset=utf-8,${encodeURIComponent(csv(table))}` }).click();
      }, "aria-label": `this table of ${name} as CSV` }, "CSV");
      place.after(save);
    }
    // What changed since the baseline opens the items of its model.
    for (const cell of document.querySelectorAll("td[data-items]")) {
      const model = data.models.indexOf(cell.parentElement.querySelector("th").dataset.model);
      const task = data.tasks.find((each) => each.name === cell.dataset.items);
      if (model < 0 || !task || !task.items.length) continue;
      const other = data.models.indexOf(data.baseline);
      cell.replaceChildren(el("button", { type: "button", class: "opens", onclick: () => openItems(task.name, model, other) }, ...cell.childNodes));
    }
  }

  // The address, read once the page stands and again where a reader changes it.
  function restore() {
    restoring = true;
    const [name, query = ""] = location.hash.slice(1).split(/\?(.*)/s);
    const held = new URLSearchParams(query);
    section = byId(name) ? name : "";
    for (const id of CONTROLS) {
      const control = byId(id);
      if (!control) continue;
      put(control, fresh[id]);
      if (held.has(id)) put(control, held.get(id));
      control.dispatchEvent(new Event("input"));
      control.dispatchEvent(new Event("change"));
    }
    light(held.get("theme") || "auto");
    sortBoard(held.get("sort") || "#");
    if (byId("items")) {
      const [target, column] = (held.get("cell") || "").split("\n");
      const task = data.tasks.find((each) => each.name === saidBy(byId("items-task")));
      const { labels, counts } = (task && task.confusion) || {};
      const row = labels && counts[data.models[chosen("model")]];
      const at = labels ? labels.indexOf(target) : -1;
      only = row && at >= 0 && row[at][column] ? { target, column: Number(column), labels, count: row[at][column] } : null;
      wall();
      const [of, id] = (held.get("item") || "").split("\n");
      const number = shown.findIndex((item) => item.task.name === of && item.id === id);
      const [one, two] = (held.get("pair") || "").split("\n").map((model) => data.models.indexOf(model));
      if (dialog.open) dialog.close();
      restoring = false;
      if (section) byId(section).scrollIntoView();
      if (number >= 0) show(number);
      else if (one >= 0 && two >= 0 && data.pairs[one < two ? `${one}-${two}` : `${two}-${one}`]) pair(one, two);
    }
    restoring = false;
    if (section) byId(section).scrollIntoView();
  }

  board();
  if (byId("pairs")) pairs();
  if (byId("confusion-task")) confusions();
  if (byId("items")) items();
  tables();
  for (const id of CONTROLS) if (byId(id)) fresh[id] = saidBy(byId(id));
  for (const link of document.querySelectorAll("nav a")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      go(link.getAttribute("href").slice(1));
    });
  }
  window.addEventListener("hashchange", restore);
  restore();
})();
