"""Parts of a transformers checkpoint loaded: the one place where that library builds a model from files."""

import importlib
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmbench.adapters.hf.checkpoint import Checkpoint
from mmbench.adapters.hf.placement import placement
from mmbench.adapters.hf.spec import Asked
from mmbench.adapters.hf.weights import check_filled, check_numbers
from mmbench.adapters.shared.batches import lay_out
from mmbench.harness.errors import AdapterError, UsageError

# What transformers and its tokenizers raise on files that make no sense.
_BROKEN = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    AssertionError,
    ImportError,
    RuntimeError,
    ZeroDivisionError,
    RecursionError,
    pickle.UnpicklingError,
)


def model(checkpoint: Checkpoint, *, device: str, dtype: str) -> Any:
    """Return the model, in eval mode. Raises AdapterError, and UsageError where the weights do not fill it."""
    with quietly(checkpoint.label):
        import torch
        import transformers

        check_numbers(checkpoint)
        placed = placement(checkpoint, device, dtype, lambda: int(torch.cuda.mem_get_info(device)[0]))
        kinds = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
        # The caller's random numbers must not depend on whether a model was loaded among them.
        with torch.random.fork_rng(devices=[]):
            try:
                made, told = getattr(transformers, checkpoint.kind.built_by).from_pretrained(
                    str(checkpoint.folder),
                    dtype=kinds[dtype],
                    use_safetensors=checkpoint.weights[0].suffix == ".safetensors",
                    weights_only=True,
                    output_loading_info=True,
                    ignore_mismatched_sizes=True,  # so that they are told, and refused below
                    trust_remote_code=False,
                    local_files_only=True,
                    **placed,
                )
                made = made if placed else made.to(device)
                for part in made.modules():
                    if hasattr(part, "config"):
                        part.config.return_dict = True  # whatever was saved: what is read has names
                if device != "cpu" and checkpoint.kind.writes is None and hasattr(made, "vision_model"):
                    lay_out(made.vision_model)
            except torch.OutOfMemoryError as error:
                raise AdapterError(f"{checkpoint.label} does not fit on {device}; use --device cpu") from error
    check_filled(checkpoint.label, told)
    return made.eval()


def image_processor(checkpoint: Checkpoint, backend: str) -> Any:
    """Return what prepares pictures. Raises UsageError, also where it would be done by another backend."""
    with quietly(checkpoint.label):
        from transformers import AutoImageProcessor

        made = AutoImageProcessor.from_pretrained(
            str(checkpoint.folder), backend=backend, trust_remote_code=False, local_files_only=True
        )
    found = getattr(made, "backend", "pil")
    if found != backend:
        raise UsageError(f"{checkpoint.label}: its pictures are prepared by {found} alone, as in hf:…,backend={found}")
    return made


def processor(checkpoint: Checkpoint, backend: str, asked: Asked) -> Any:
    """Return what makes a model's inputs of pictures and a prompt. Raises UsageError."""
    pictures = image_processor(checkpoint, backend)
    with quietly(checkpoint.label):
        from transformers import AutoProcessor

        made = AutoProcessor.from_pretrained(str(checkpoint.folder), trust_remote_code=False, local_files_only=True)
        if not hasattr(made, "image_processor") or not hasattr(made, "tokenizer"):
            raise ValueError("it finds no processor, only a part of one; save the model's processor beside the weights")
    made.image_processor = pictures
    if asked.max_pixels or asked.min_pixels:
        least, most = (
            asked.min_pixels or pictures.size["shortest_edge"],
            asked.max_pixels or pictures.size["longest_edge"],
        )
        if least > most:
            raise UsageError(f"{checkpoint.label}: min_pixels, here {least}, is above max_pixels, here {most}")
        pictures.size = {"shortest_edge": least, "longest_edge": most}
    return made


def tokenizer(checkpoint: Checkpoint) -> Any:
    """Return the tokenizer. Raises UsageError."""
    with quietly(checkpoint.label):
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(str(checkpoint.folder), trust_remote_code=False, local_files_only=True)


def configuration(checkpoint: Checkpoint) -> Any:
    """Return the configuration with the library's defaults for what the file leaves out. Raises UsageError."""
    with quietly(checkpoint.label):
        from transformers import AutoConfig

        return AutoConfig.from_pretrained(str(checkpoint.folder), trust_remote_code=False, local_files_only=True)


@contextmanager
def quietly(label: str) -> Iterator[None]:
    """Turn what the library raises into UsageError, and keep its warnings and bars from a person's terminal."""
    from safetensors import SafetensorError

    try:
        importlib.import_module("transformers.utils.logging")
    except ImportError as error:
        raise UsageError(f"{label}: needs transformers, which cannot be imported ({_line(error)})") from error
    try:
        with silent():
            yield
    except (*_BROKEN, SafetensorError) as error:
        raise UsageError(f"{label}: transformers cannot load it ({_line(error)})") from error


@contextmanager
def silent() -> Iterator[None]:
    """Keep the library's warnings and bars from a person's terminal."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def _line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
