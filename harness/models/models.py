"""Models under test: specs, aliases and checkpoint patterns turned into labelled adapters."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from mmbench.harness.digest import digest_json
from mmbench.harness.errors import UsageError, nearest
from mmbench.harness.models.abilities import Adapter, abilities, did_you_mean, misspelt
from mmbench.harness.models.labels import check_name, distinct_labels, label_parts, safe_name, split_options
from mmbench.harness.models.own_file import from_file
from mmbench.harness.models.spelling import unknown
from mmbench.harness.patterns import is_pattern, matching
from mmbench.harness.registry import ADAPTERS, LABELS, aliases, contained, entries, loaded, spoken

DTYPES = ("auto", "fp32", "fp16", "bf16")
_TORCH = {"float32": "fp32", "float": "fp32", "float16": "fp16", "half": "fp16", "bfloat16": "bf16"}
"""What torch calls them."""


def check_device(name: str) -> int | None:
    """Return the number of a device that has one. Raises UsageError for a name that no device has."""
    match = re.fullmatch(r"auto|cpu|cuda(?::([0-9]{1,4}))?", name)
    if match is None:
        raise UsageError(f"unknown device {name!r}{_meant(name)}; known are auto, cpu, cuda and cuda:N")
    return int(match[1]) if match[1] else None


def _meant(name: str) -> str:
    lower = name.lower()
    if lower in ("mps", "metal", "xpu", "tpu", "xla", "npu"):
        return ": models are asked on CUDA GPUs and on the CPU, so use --device cpu"
    number = re.fullmatch(r"(?:cuda|gpu)?[:=]?(\d+)", lower)
    meant = f"cuda:{number[1]}" if number else {"gpu": "cuda", "nvidia": "cuda"}.get(lower)
    return f"; did you mean {meant!r}?" if meant else nearest(lower, ("auto", "cpu", "cuda"))


@dataclass(frozen=True, slots=True)
class Loading:
    """How adapters are to be made."""

    device: str = "auto"
    """`auto`, `cpu`, `cuda` or `cuda:N`."""
    dtype: str = "auto"
    """`auto`, `fp32`, `fp16` or `bf16`."""
    offline: bool = False
    """Never touch the network."""

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            meant = _TORCH.get(str(self.dtype).lower().removeprefix("torch."))
            near = f"; did you mean '{meant}'?" if meant else nearest(str(self.dtype), DTYPES)
            raise UsageError(f"unknown dtype '{self.dtype}'{near}; known are {', '.join(DTYPES)}")
        if not isinstance(self.device, str):
            raise UsageError(f"the device is auto, cpu, cuda or cuda:N, not {self.device!r}")
        check_device(self.device)


@dataclass(frozen=True, slots=True)
class Model:
    """An adapter with the label under which its results stand."""

    label: str
    spec: str
    adapter: Adapter
    code: str | None = None
    """Digest of the user's own file that made the adapter."""

    @property
    def fingerprint(self) -> str:
        """Identity of the model: what the adapter tells, and the code of a user's own file.

        A person who changes a line of a file forgets the version in its fingerprint.
        """
        told = self.adapter.fingerprint
        return told if self.code is None else digest_json({"told": told, "code": self.code})


def make_models(specs: Iterable[str], loading: Loading, name: str | None = None) -> list[Model]:
    """Return a model for each spec, and for each file that a spec's pattern matches. Raises UsageError.

    Adapters are made but not loaded. Labels are distinct: where two checkpoints share a stem, the folder comes first.
    """
    if name is not None:
        check_name(name)
    expanded = [(spec, one) for spec in specs for one in _expand(spec)]
    labels = [name] if name and len(expanded) == 1 else distinct_labels([_label_parts(*pair) for pair in expanded])
    if name and len(expanded) > 1:
        raise UsageError(f"--name '{name}' stands for one model, and {len(expanded)} are to run; leave it out")
    return [make_model(label, spec, loading) for label, (_, spec) in zip(labels, expanded, strict=True)]


def _label_parts(given: str, spec: str) -> list[str]:
    """Return the parts of a label, which the kind of adapter may have a word in."""
    kind, _, rest = spec.partition(":")
    own = entries(LABELS)
    if given != spec or kind not in own:
        return label_parts(given, spec)
    return [safe_name(str(contained(lambda: loaded(own[kind], "label")(rest), f"model '{kind}:…' has no name")))]


def _expand(spec: str) -> list[str]:
    """Resolve an alias and a file pattern."""
    known = aliases()
    if spec in known or spec in known.unusable:
        return [known.pick(spec, "alias").spec]
    bare, options = split_options(spec)
    head, at, pattern = bare.rpartition("@")
    if at and is_pattern(pattern) and "://" not in pattern:  # an address may have the brackets of IPv6
        matched = matching(pattern)
        if not matched:
            raise UsageError(f"no file matches '{pattern}' in --model {spec}")
        return [f"{head}@{path}{options}" for path in matched]
    return [spec]


def make_model(label: str, spec: str, loading: Loading) -> Model:
    """Return the model of a spec without aliases or patterns. Raises UsageError."""
    kind, _, rest = spec.partition(":")
    if kind.endswith(".py"):
        own = from_file(Path(kind), rest)
        return Model(label, spec, own.adapter, own.code)
    known = entries(ADAPTERS)
    if kind not in known and kind not in known.unusable:
        raise UsageError(unknown(spec))
    entry = known.pick(kind, "adapter")
    make = loaded(entry, "adapter")
    if not callable(make):
        raise UsageError(f"{spoken(entry, 'adapter')} is a {type(make).__name__}, expected a function")
    adapter = contained(
        lambda: make(rest, device=loading.device, dtype=loading.dtype, offline=loading.offline),
        f"model '{spec}' cannot be made",
    )
    if not contained(lambda: abilities(adapter), f"model '{spec}' cannot be used"):
        near = contained(lambda: did_you_mean(misspelt(adapter)), f"model '{spec}' cannot be used")
        raise UsageError(f"model '{spec}' has none of the methods that make an adapter{near}; see docs/adapters.md")
    return Model(label, spec, cast(Adapter, adapter))
