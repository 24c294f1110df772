"""Pair matrix: on how many tasks each model is better than each other, with the tasks behind every cell."""

from collections.abc import Sequence

from mmbench.harness.digest import Json
from mmbench.harness.render.html import Attributes, Html, name_tag, tag
from mmbench.harness.report.verdicts import Judged, Pairs


def pair_matrix(pairs: Pairs, models: Sequence[str]) -> Html:
    """Return the matrix: models in rows against models in columns."""
    corner = tag("td", {"class": "corner"}, "row against column")
    head = tag("tr", None, corner, *(tag("th", {"scope": "col"}, name_tag(name)) for name in models))
    rows = [
        tag(
            "tr",
            None,
            tag("th", {"scope": "row"}, name_tag(one)),
            *(_cell(pairs, models, i, j) for j in range(len(models))),
        )
        for i, one in enumerate(models)
    ]
    return tag("table", {"class": "pairs"}, tag("thead", None, head), tag("tbody", None, *rows))


def _cell(pairs: Pairs, models: Sequence[str], i: int, j: int) -> Html:
    if i == j:
        return tag("td", {"class": "self", "aria-label": "the same model"})
    turned = i > j
    held = pairs.get((models[j], models[i]) if turned else (models[i], models[j]))
    if not held:
        return tag("td", {"class": "self"}, "–")
    counts = {verdict: sum(each.verdict == verdict for each in held) for verdict in ("better", "worse", "tied")}
    better, worse = (counts["worse"], counts["better"]) if turned else (counts["better"], counts["worse"])
    kind = "ahead" if better > worse else "behind" if worse > better else "even"
    said = f"{models[i]} against {models[j]}: better on {better}, worse on {worse}, tied on {counts['tied']} tasks"
    attributes: Attributes = {
        "type": "button",
        "class": f"pair {kind}",
        "data-one": i,
        "data-two": j,
        "aria-label": said,
    }
    button = tag(
        "button",
        attributes,
        tag("span", {"class": "up"}, f"▲ {better}"),
        tag("span", {"class": "down"}, f"▼ {worse}"),
        tag("span", {"class": "same"}, f"= {counts['tied']}"),
    )
    told = f"{better} better, {worse} worse, {counts['tied']} tied"
    return tag("td", {"data-value": told}, button)


def pairs_json(pairs: Pairs, models: Sequence[str]) -> Json:
    """Return for each pair its tasks as `[task, difference, low, high, p, verdict]`, keyed by numbers `one-two`."""
    at = {model: number for number, model in enumerate(models)}
    return {f"{at[one]}-{at[two]}": [_judged(each) for each in held] for (one, two), held in pairs.items()}


def _judged(each: Judged) -> Json:
    test = each.compared.test
    figures = [None if figure is None else round(figure, 4) for figure in (test.value, *(each.ends or (None, None)))]
    return [each.compared.task, *figures, float(f"{each.p:.2g}"), each.verdict]
