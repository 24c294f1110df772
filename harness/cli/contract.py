"""Command `contract`: one adapter held against the contract that all of them keep."""

import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mmbench.harness.cli.common import Debug, Device, Dtype, Form, Offline, Output, Yes, make_console, print_json
from mmbench.harness.cli.streams import output_kept
from mmbench.harness.errors import UsageError, WeightsUnavailable

if TYPE_CHECKING:
    from mmbench.harness.models.models import Loading, Model

_HALF = {"fp16": 5e-3, "bf16": 2e-2}
"""How far equal vectors may lie apart, relative to their norm, where a model computes in half precision."""

_FRESH = """
from mmbench.harness.models.models import Loading, make_models
def make():
    return make_models([{spec!r}], Loading({device!r}, {dtype!r}, {offline!r}))[0].adapter
"""


def contract(
    spec: Annotated[str, typer.Argument(help="Model: whatever --model of run takes, but one.")],
    device: Device = "auto",
    dtype: Dtype = "auto",
    offline: Offline = False,
    yes: Yes = False,
    form: Form = Output.table,
    debug: Debug = False,
) -> None:
    """Hold an adapter against the contract: a made-up handful of pictures and texts, asked in several ways.

    Exit status: 0 it keeps the contract, 1 a clause is broken, 2 bad usage.
    """
    if offline:  # before huggingface_hub is imported anywhere, since it reads this once
        os.environ["HF_HUB_OFFLINE"] = "1"
    from mmbench.harness.models.models import Loading
    from mmbench.harness.registry import DEFAULTS, contained, find
    from mmbench.harness.run.consent import consent_to_trial

    loading = Loading(device, dtype, offline)
    with output_kept():  # from here on code of adapters runs
        violations = find(DEFAULTS, "contract", "default")
        model = _one(spec, loading)
        consent_to_trial(model, "dozens of made-up pictures and texts", yes=yes)
        names = contained(lambda: _told(model), f"model '{spec}' cannot be used")
        unasked: list[str] = []
        found = contained(
            lambda: _broken(violations, spec, loading, model, unasked), f"model '{spec}' cannot be checked"
        )
        half = _half(loading, model)
        told = f"model '{spec}' cannot be compared with itself in fp32"
        apart = [] if half is None or found else contained(lambda: _apart(spec, loading, model), told)
    if form is Output.json:
        rows = [{"clause": line.partition(":")[0], "sentence": line} for line in found]
        print_json(
            {
                "model": model.label,
                "spec": spec,
                "abilities": names,
                "violations": rows,
                "not_checked": unasked,
                "difference": [asdict(each) for each in apart],
            }
        )
    else:
        console = make_console()
        for line in found:
            console.print(line)
        for line in unasked:
            console.print(f"not checked: {line}")
        for each in apart:
            console.print(f"{half} against fp32: {each.sentence}")
        if not found:
            far = " as far as it could be asked" if unasked else ""
            console.print(f"{model.label} keeps the contract{far}: {', '.join(names)}")
    raise typer.Exit(1 if found else 0)


def _one(spec: str, loading: "Loading") -> "Model":
    from mmbench.harness.models.models import make_models

    models = make_models([spec], loading)
    if len(models) > 1:
        raise UsageError(f"'{spec}' stands for {len(models)} models; the contract is held against one at a time")
    return models[0]


def _told(model: "Model") -> list[str]:
    """Return the names of what a model can do, once its files are known to be here."""
    from mmbench.harness.models.abilities import ABILITIES, abilities

    try:
        _ = model.fingerprint
    except WeightsUnavailable as error:  # no clause is broken by what could not be asked
        raise UsageError(str(error)) from error
    has = abilities(model.adapter)
    return [name for name in ABILITIES if name in has]


def _half(loading: "Loading", model: "Model") -> str | None:
    """Return the name of the half precision that a model computes in, None for full precision."""
    on_gpu = str(getattr(model.adapter, "device", "cpu")).startswith("cuda")
    dtype = "fp16" if loading.dtype == "auto" and on_gpu else loading.dtype
    return dtype if dtype in _HALF else None


def _apart(spec: str, loading: "Loading", model: "Model") -> list[Any]:
    """Return how far a model in half precision lies from itself in full precision, ability by ability."""
    from dataclasses import replace

    from mmbench.harness.registry import DEFAULTS, find

    found: list[Any] = find(DEFAULTS, "difference", "default")(
        model.adapter, _one(spec, replace(loading, dtype="fp32")).adapter
    )
    return found


def _broken(
    violations: Callable[..., list[str]], spec: str, loading: "Loading", model: "Model", unasked: list[str]
) -> list[str]:
    """Return the broken clauses, and add to `unasked` what has no answer to made-up inputs."""
    half = _half(loading, model)
    settings: dict[str, Any] = {"device": loading.device, "dtype": loading.dtype, "offline": loading.offline}
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "fresh.py"
        fresh.write_text(_FRESH.format(spec=spec, **settings), encoding="utf-8")
        return violations(
            lambda: _one(spec, loading).adapter,
            lazy_spec=f"{fresh}:make",
            tolerance=None if half is None else _HALF[half],
            tune_settings={"epochs": 2.0},
            unasked=unasked.append,
        )
