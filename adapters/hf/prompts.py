"""Prompts of a model that writes: its chat template filled in, and its pictures and words made into tensors."""

import datetime
import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Literal, TypeAlias

import PIL.Image

from mmbench.adapters.hf import clips, load
from mmbench.adapters.hf.bounded import within
from mmbench.adapters.hf.kinds import Writes
from mmbench.adapters.hf.source import FromFiles
from mmbench.harness.errors import Unsupported, UsageError
from mmbench.harness.models.abilities import Frames, Prepared
from mmbench.harness.replies.tags import is_tag, opening

ToWrite: TypeAlias = tuple[list[Prepared], str]
"""Pictures, clips as `Frames` among them, and the prompt about them."""
Layout: TypeAlias = Sequence[Literal["image", "video"]]
"""What a prompt is about, in order."""

_SECONDS = 10.0
"""Most time that a template may take: the longest of them take milliseconds."""
_NOW = re.compile(r"""\bstrftime_now\(\s*(['"])([^'"\\]*)\1\s*\)""")
_DAY = datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC)
"""What a template is told for today, so that a model is asked the same every day."""
_OWN_TAG = re.compile(r"\{%[-+]?\s*(?:end)?generation\s*[-+]?%\}")
"""What transformers adds to Jinja: tags that mark what an assistant says."""
_PROBE = "Which of these is it?"
_ONE: Layout = ("image",)
_ANSWER = "Seven"
"""Stands for an answer where a template is asked what it puts before one."""


class Prompts:
    """Makes prompts for one checkpoint. Raises UsageError where its template cannot show a picture or a question."""

    def __init__(self, source: FromFiles, writes: Writes) -> None:
        self._label = source.label
        self._writes = writes
        self._template = _NOW.sub(_then, source.checkpoint.template) if writes.chat else ""
        self._asked = source.asked
        self._system = source.asked.system
        self.processor = source.processor
        self.tokenizer = self.processor.tokenizer
        if self.tokenizer.pad_token is None:  # what fills up is hidden from attention, so that any token serves
            self.tokenizer.pad_token = self.tokenizer.eos_token
        # What is written follows the prompt, unless an encoder reads it: its words then keep their distance from the
        # pictures.
        self._config = load.configuration(source.checkpoint)
        encoded = self._config.get_text_config().is_encoder_decoder
        self._side = "right" if encoded else "left"
        self.apart = writes.apart or encoded
        """True where the tokens of an answer do not depend on the prompt."""
        self._check()

    def text(self, prompt: str, shown: Layout) -> str:
        """Return what the model is given for a prompt about these pictures and clips.

        Raises ValueError for a prompt that would be read as more than words, and for a template that fails.
        """
        self.check_words("prompt", prompt)
        return self._filled(prompt, shown)

    def check_words(self, what: str, text: str) -> None:
        """Raise ValueError for a text that would be read as more than words."""
        found = next((token for token in self._reserved if token in text), None)
        if found is not None:
            raise ValueError(f"the {what} holds {found}, which this model does not read as words")

    def answered(self, prompt: str, shown: Layout) -> tuple[str, str]:
        """Return what the model is given up to an answer of its own, and the space that an answer begins with, if any.

        It is what the template writes before an answer in the assistant's turn, thoughts closed. Raises ValueError as
        `text` does, and Unsupported where the template begins thoughts and does not show where an answer stands.
        """
        asked = self.text(prompt, shown)
        if not self._template:
            return asked, " " if prompt else ""
        thinks = bool(opening(asked))
        for content in ([{"type": "text", "text": _ANSWER}], _ANSWER):
            try:
                before, answer, _ = self._filled(prompt, shown, content).rpartition(_ANSWER)
            except ValueError:
                continue
            # A template may close thoughts that it has not begun, for a model that may think or not.
            goes_on = before.startswith(asked) and (thinks or all(map(is_tag, before[len(asked) :].split())))
            if answer and (goes_on or (thinks and asked.startswith(before))):
                given = before.rstrip(" ")
                return given, before[len(given) :]
        if thinks:
            raise Unsupported(
                f"{self._label}: its chat template begins with thoughts and shows no answer without them; use "
                f"--route generate"
            )
        given = asked.rstrip(" ")
        return given, " " if given != asked or given[-1:].isalnum() or given[-1:] == ":" else ""

    def inputs(self, asked: Sequence[ToWrite], texts: Sequence[str] | None = None) -> Any:
        """Return the tensors for prompts that may share a pass: all with pictures or all without, and clips as long.

        `texts` are what `text` gives for them, or another text about as many. Raises ValueError for clips that the
        processor cannot take.
        """
        texts = [self.text(prompt, layout(shown)) for shown, prompt in asked] if texts is None else list(texts)
        pictures: Any = [[each for each in shown if not isinstance(each, Frames)] for shown, _ in asked]
        films = [each for shown, _ in asked for each in shown if isinstance(each, Frames)]
        for shown, _ in asked:
            self._check_clips(shown)
        if self._writes.one:
            pictures = [picture for each in pictures for picture in each]
        begun = bool(self.tokenizer.bos_token) and texts[0].startswith(self.tokenizer.bos_token)
        made = self.processor(
            images=pictures if any(pictures) else None,
            text=texts,
            padding=self._writes.padded,
            padding_side=self._side,
            truncation=False,
            return_tensors="pt",
            **({"add_special_tokens": False} if begun else {}),  # a template that writes the start token itself
            **(self._of_clips(films) if films else {}),
        )
        made.pop("labels", None)  # PaliGemma's, for training
        return made

    def _check_clips(self, shown: Sequence[Prepared]) -> None:
        films = [each for each in shown if isinstance(each, Frames)]
        if films and self._writes.clips:
            clips.check(films, self._writes.clips, alone=len(films) == len(shown))

    def _of_clips(self, films: Sequence[Frames]) -> dict[str, Any]:
        given, own = self.processor.video_processor, self._writes.clips
        least = getattr(given, "temporal_patch_size", None) or 1
        made = clips.arguments(films, least)
        limits = {"shortest_edge": self._asked.min_pixels, "longest_edge": self._asked.max_pixels}
        frames = max(least, min(len(film.pictures) for film in films)) if own and own.as_one else 1
        if asked := {edge: pixels * frames for edge, pixels in limits.items() if pixels}:
            made["videos_kwargs"]["size"] = {**dict(given.size), **asked}
        return made

    def opened(self, prompt: str, shown: Layout) -> str:
        """Return the tag with which a template begins the model's thoughts, as the reply does not; empty if none."""
        return opening(self._filled(prompt, shown)) if self._template else ""

    @cached_property
    def _mark(self) -> str:
        name = self._writes.picture
        return "" if name is None else str(getattr(self.processor, name))

    @cached_property
    def _reserved(self) -> tuple[str, ...]:
        """Tokens that stand for pictures, turns, starts and ends."""
        parts = (*vars(self.processor).items(), *self.tokenizer.special_tokens_map.items())
        named = {str(token) for name, token in parts if name.endswith("_token") and str(token).strip()}
        tokens = self.tokenizer.added_tokens_decoder.values()
        scaffold = self._filled(_PROBE, _ONE)
        named = {token for token in named if len(token) > 1}  # a tokenizer may fill up with `!`
        return tuple(sorted(named | {str(each) for each in tokens if each.special and str(each) in scaffold}))

    def _filled(self, prompt: str, shown: Layout, answer: Any = None) -> str:
        if not self._template:
            return self._mark * len(shown) + prompt
        content = [*({"type": each} for each in shown), {"type": "text", "text": prompt}]
        turns: list[dict[str, Any]] = [{"role": "user", "content": content}]
        if self._system is not None:
            turns.insert(0, {"role": "system", "content": [{"type": "text", "text": self._system}]})
        if answer is not None:
            turns.append({"role": "assistant", "content": answer})
        try:
            text = within(
                _SECONDS,
                lambda: self.processor.apply_chat_template(
                    turns,
                    chat_template=self._template,
                    add_generation_prompt=answer is None,
                    tokenize=False,
                ),
            )
        except Exception as error:  # a template of anybody's may raise anything
            raise ValueError(f"its chat template cannot be filled in ({type(error).__name__}: {error})") from error
        marked, wanted = text.count(self._mark), shown.count("image")
        if marked != wanted:
            raise ValueError(f"its chat template shows {marked} pictures for {wanted}")
        if (wanted := shown.count("video")) and (marked := text.count(self.processor.video_token)) != wanted:
            raise ValueError(
                f"its chat template shows {marked} clips for {wanted}; put one that shows them beside the weights, or "
                f"ask with hf:…,video=frames"
            )
        return str(text)

    def _check(self) -> None:
        if self._template:
            self._check_template()
        grey = PIL.Image.new("RGB", (64, 64), "grey")
        try:
            ids = self.inputs([([grey], _PROBE)])["input_ids"]
        except Exception as error:  # where the files lack what it needs it raises anything
            raise UsageError(
                f"{self._label}: its processor cannot prepare a picture ({type(error).__name__}: {error}); take the "
                f"processor files of the model that it was made from"
            ) from error
        # BLIP-2 passes over a picture, or over its end, that has no place in the prompt.
        token, wanted = (getattr(self._config, name, None) for name in ("image_token_id", "num_query_tokens"))
        places = -1 if token is None else int((ids == token).sum())
        if places != (wanted or places or 1):
            raise UsageError(
                f"{self._label}: its processor gives a picture {places} places in the prompt, and the model wants "
                f"{wanted or 'some'}; take the processor files of the model that it was made from"
            )

    def _check_template(self) -> None:
        try:
            if _computes_powers(self._template):  # a number of a billion digits, in a step that nothing can end
                raise ValueError("its chat template computes powers")
            text = self._filled(_PROBE, _ONE)
        except ValueError as error:
            raise UsageError(f"{self._label}: {error}; put its own chat_template.jinja beside the weights") from error
        if text.count(_PROBE) != 1:
            raise UsageError(
                f"{self._label}: its chat template leaves the question out; put its own beside the weights"
            )
        if self._system is not None and self._system.strip() not in text:
            raise UsageError(f"{self._label}: its chat template has no place for a system prompt; leave out system")
        if self._system is not None and any(token in self._system for token in self._reserved):
            raise UsageError(f"{self._label}: its system prompt holds a token that it does not read as words")


def layout(shown: Sequence[Prepared]) -> Layout:
    """Return which of the things that a question shows are pictures and which are clips."""
    return ["video" if isinstance(each, Frames) else "image" for each in shown]


def _then(found: re.Match[str]) -> str:
    return f"{found[1]}{_DAY.strftime(found[2])}{found[1]}"


def _computes_powers(template: str) -> bool:
    import jinja2

    try:
        known = jinja2.Environment(extensions=["jinja2.ext.loopcontrols"])  # noqa: S701 - nothing is rendered
        parsed = known.parse(_OWN_TAG.sub("", template))
    except jinja2.TemplateSyntaxError:
        return False  # told where it is filled in
    return parsed.find(jinja2.nodes.Pow) is not None
