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

  // Theme: as the system says, or as the reader does.
  const theme = byId("theme");
  const themes = ["auto", "light", "dark"];
  theme.addEventListener("click", () => {
    const next = themes[(themes.indexOf(document.documentElement.dataset.theme || "auto") + 1) % themes.length];
    document.documentElement.dataset.theme = next;
    theme.textContent = `theme: ${next}`;
  });

  // Board.
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

    heads.forEach((head, column) => {
      head.querySelector("button").addEventListener("click", () => {
        const was = head.getAttribute("aria-sort");
        const falling = was ? was === "ascending" : column > 1;
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", falling ? "descending" : "ascending");
        order(column, falling);
      });
    });

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
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("keydown", (event) => {
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
        el("td", null, row.task),
        el("td", { class: row.own }, row.own),
        el("td", { class: "figure" }, (row.size > 0 ? "+" : "") + figure(row.size)),
        el("td", { class: "figure" }, row.ends),
        el("td", { class: "figure" }, row.p < 0.001 ? "< 0.001" : row.p.toFixed(3))));
    const head = headRow(["task", "verdict"], ["difference", "95 % interval", "p (Holm)"]);
    open(`${data.models[one]} against ${data.models[two]}`, null, tableOf(head, body));
  }

  // Confusions.
  function confusions() {
    const [task, model] = [byId("confusion-task"), byId("confusion-model")];
    const held = data.tasks.map((each, number) => [number, each]).filter(([, each]) => each.confusion);
    fill(task, held.map(([number, each]) => [number, each.name]));
    fill(model, data.models.map((name) => [name, name]));

    function draw() {
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
          return el("td", { class: kind.join(" "), title }, String(count));
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

  const answerOf = (item, model) => item.answers.find((answer) => answer[MODEL] === model);

  function words(item) {
    const answers = item.answers.flatMap((answer) => [answer[TEXT] || "", answer[REPLY] || ""]);
    return [item.id, item.task.name, item.question, item.target, ...answers].join("\n").toLowerCase();
  }

  function picture(key, item) {
    const source = data.pictures[key];
    if (!source) return blank(item);
    return el("img", { class: "picture", src: source, alt: `picture of item ${item.id}`, width: 96, height: 96 });
  }
  const blank = (item) => el("span", { class: "picture blank" }, item.locator || "no picture");
  const pictures = (item) =>
    el("span", { class: "pictures" }, ...(item.pictures ? item.pictures.map((key) => picture(key, item)) : [blank(item)]));

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
    open(item.question || `${item.task.name} · ${item.id}`, move, pictures(item), list, tableOf(head, rows), steps);
  }

  function wall() {
    shown = matching();
    const more = byId("items-more");
    byId("items-wall").replaceChildren(...shown.slice(0, limit).map(tile));
    byId("items-count").textContent = `${shown.length} of ${all.length} items`;
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
        wall();
      });
    }
    byId("items-more").addEventListener("click", () => {
      const first = limit;
      limit += STEP;
      wall();
      byId("items-wall").children[first].querySelector("button").focus();
    });
    wall();
  }

  board();
  if (byId("pairs")) pairs();
  if (byId("confusion-task")) confusions();
  if (byId("items")) items();
})();
