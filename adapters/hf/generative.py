"""Adapter class for models of transformers that write about pictures: vision-language models and captioners."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from mmbench.adapters.hf import load
from mmbench.adapters.hf.file_model import FileModel
from mmbench.adapters.hf.kinds import Writes
from mmbench.adapters.hf.options import alone, behind, likelihoods
from mmbench.adapters.hf.prompts import Prompts, ToWrite, layout
from mmbench.adapters.hf.reading import shortened
from mmbench.adapters.hf.writing import Reader, settle, write
from mmbench.adapters.shared.asking import ask
from mmbench.harness.digest import digest_bytes
from mmbench.harness.errors import OnePicture, TooLong, Unsupported
from mmbench.harness.models.abilities import Frames, Generation, Prepared
from mmbench.harness.replies.coordinates import resized


class VisionLanguageModel(FileModel):
    """A model that is shown pictures and a prompt, and writes a reply.

    Pictures stand before the prompt, in the order in which they are given. Files are fetched and read when something of
    the model is first asked, the model is built when it must answer.
    """

    @property
    def takes_text_alone(self) -> bool:
        """True for models with a chat template; the others were made for a picture."""
        kind = self._source.kind_at_once
        return kind is not None and kind.writes is not None and kind.writes.chat

    @property
    def takes_one_picture(self) -> bool:
        """True for models that were made for one picture."""
        kind = self._source.kind_at_once
        return kind is not None and kind.writes is not None and kind.writes.one

    @property
    def takes_clips(self) -> bool:
        """True where it is shown a clip by its own input for clips: it has one, and `,video=frames` was not asked."""
        return self._source.takes_clips

    @property
    def boxes(self) -> str | None:
        """Convention by which it writes boxes: as asked for, else that of its kind. Raises as `fingerprint`."""
        return self._source.asked.boxes or self._writes.boxes

    @property
    def points(self) -> str | None:
        """Convention by which it writes points, where that is another than of its boxes."""
        return self._source.asked.points

    def picture_size(self, width: int, height: int) -> tuple[int, int]:
        """Return the size in which the model is shown a picture, which is another where it is resized to patches."""
        if not self._writes.sized:
            return width, height
        pictures = self._source.processor.image_processor
        least, most = (pictures.size[edge] for edge in ("shortest_edge", "longest_edge"))
        return resized(width, height, least, most, factor=pictures.patch_size * pictures.merge_size)

    @property
    def notes(self) -> tuple[str, ...]:
        """What each record of the model says of it."""
        if self._source.dtype != "fp16" or self._source.checkpoint.stored != "bfloat16":
            return ()
        return (
            "its weights are bfloat16 and were asked in fp16, in which large values overflow; --dtype bf16 is its own",
        )

    def load_weights(self) -> None:
        """Load processor and model, if that was not done before. Raises WeightsUnavailable and UsageError."""
        _ = self._prompts, self._model

    def generate(self, prompts: list[ToWrite], settings: Generation) -> list[str]:
        """Return for each (pictures, prompt) what the model writes, stripped, without the prompt and special tokens.

        A reply ends at an end token, before the first of `stop`, after `max_tokens`, or where the context is full.
        Temperature 0 is greedy decoding whatever the checkpoint says; above 0 tokens are drawn, seeded by pictures and
        prompt, so that an equal question gets an equal reply. Raises Unsupported where a model of one picture is shown
        another number, TooLong for a prompt that fills the context, ValueError for a prompt with tokens of control and
        for logits that are NaN, OutOfMemory, WeightsUnavailable and UsageError.
        """
        for pictures, _ in prompts:
            self._check_count(len(pictures))
        replies = [""] * len(prompts)
        with load.silent():
            for rows, inputs in self._passes(prompts):
                written = self._written(inputs, [prompts[row] for row in rows], settings)
                for row, reply in zip(rows, written, strict=True):
                    replies[row] = reply
        return replies

    def score_texts(self, items: list[tuple[list[Prepared], str, list[str]]]) -> list[list[float]]:
        """Return for each (pictures, prompt, texts) the natural log-probability of each text as the model's reply.

        Summed over the text's tokens, the space that the chat template puts before a reply among them; the token that
        ends a reply is not counted. Pictures and prompt are read once an item. Raises ValueError for texts that do not
        fit behind the prompt, have no words, or have characters that the tokenizer does not know, and what `generate`
        raises.
        """
        for pictures, _, _ in items:
            self._check_count(len(pictures))
        with load.silent():
            return [self._scored(*item) if item[2] else [] for item in items]

    def _scored(self, pictures: list[Prepared], prompt: str, texts: list[str]) -> list[float]:
        model, prompts = self._model, self._prompts
        for text in texts:
            prompts.check_words("option", text)
        given, gap = prompts.answered(prompt, layout(pictures))
        inputs = prompts.inputs([(pictures, prompt)], [given])
        if prompts.apart:
            options = [alone(prompts.tokenizer, text) for text in texts]
        else:
            anew, options = behind(prompts.tokenizer, given, gap, texts, inputs["input_ids"][0].tolist())
            inputs = shortened(inputs, anew)
        room, longest = self._room(inputs, 0), max(len(option.ids) for option in options)
        if longest > room:
            raise ValueError(f"an option has {longest} tokens, and {room} fit behind pictures and prompt")
        inputs = _placed(inputs, model)
        return ask(model, lambda: likelihoods(model, inputs, options))

    def _written(self, inputs: Any, asked: Sequence[ToWrite], settings: Generation) -> list[str]:
        model, read = self._model, self._reader.text
        rooms = [min(settings.max_tokens, self._room(inputs, row)) for row in range(len(asked))]
        given, seeds = _placed(inputs, model), [_seed(*each) for each in asked]
        found = ask(model, lambda: write(model, given, settings, rooms, seeds, read))
        opened = [self._prompts.opened(prompt, layout(pictures)) for pictures, prompt in asked]
        return [tag + reply for tag, reply in zip(opened, found, strict=True)]

    @cached_property
    def _writes(self) -> Writes:
        writes = self._source.kind.writes
        assert writes is not None  # noqa: S101 - from_spec makes this class of such kinds only
        return writes

    @cached_property
    def _prompts(self) -> Prompts:
        with load.silent():
            return Prompts(self._source, self._writes)

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self._prompts.tokenizer)

    @cached_property
    def _model(self) -> Any:
        model, tokenizer = self._source.model, self._prompts.tokenizer
        end, padding = tokenizer.eos_token_id, tokenizer.pad_token_id
        settle(model, [] if end is None else [end], end if padding is None else padding)
        return model

    def _check_count(self, pictures: int) -> None:
        if self._writes.one and pictures != 1:
            told = OnePicture if pictures else Unsupported
            raise told(f"{self._source.label} writes about one picture; an item has {pictures}")
        if not pictures and not self._writes.chat:
            raise Unsupported(f"{self._source.label} writes about pictures; an item has none")

    def _passes(self, prompts: Sequence[ToWrite]) -> Iterator[tuple[list[int], Any]]:
        """Yield rows that share a pass, with their inputs."""
        alike: dict[object, list[int]] = {}
        for row, (shown, _) in enumerate(prompts):
            films = [len(each.pictures) for each in shown if isinstance(each, Frames)]
            # Of clips of several lengths a processor makes no tensor.
            alike.setdefault((len(films) < len(shown), *films), []).append(row)
        for rows in alike.values():
            if self._writes.padded:
                yield rows, self._prompts.inputs([prompts[row] for row in rows])
            else:
                yield from self._by_length(prompts, rows)

    def _by_length(self, prompts: Sequence[ToWrite], rows: Sequence[int]) -> Iterator[tuple[list[int], Any]]:
        lengths: dict[int, list[int]] = {}
        for row in rows:
            tokens = self._prompts.tokenizer(self._prompts.text(prompts[row][1], ("image",)))["input_ids"]
            lengths.setdefault(len(tokens), []).append(row)
        for alike in lengths.values():
            yield alike, self._prompts.inputs([prompts[row] for row in alike])

    def _room(self, inputs: Any, row: int) -> int:
        """Return how many tokens fit behind a prompt. Raises TooLong where none does."""
        config = self._source.model.config
        decoder = config.get_text_config(decoder=True)
        most = getattr(config.get_text_config(), "max_position_embeddings", None)
        length = int(inputs["attention_mask"][row].sum())
        if most is not None and length >= most:
            raise TooLong(f"pictures and prompt take {length} tokens, and the model reads {most}")
        if decoder.is_encoder_decoder:
            length, most = 1, getattr(decoder, "max_position_embeddings", None)
        return 1 << 20 if most is None else int(most) - length


def _placed(inputs: Any, model: Any) -> Any:
    """Return the inputs on the device of the model and in its dtype, which the times of clips are not rounded to."""
    times = inputs.get("second_per_grid_ts")
    placed = inputs.to(model.device, model.dtype)
    if times is not None:
        placed["second_per_grid_ts"] = times.to(model.device)
    return placed


def _seed(shown: Sequence[Any], prompt: str) -> str:
    pictures = [picture for each in shown for picture in (each.pictures if isinstance(each, Frames) else (each,))]
    times = [str(each.timestamps).encode() for each in shown if isinstance(each, Frames)]
    parts = [part for picture in pictures for part in (str(picture.size).encode(), picture.tobytes())]
    return digest_bytes(*parts, *times, prompt.encode())
