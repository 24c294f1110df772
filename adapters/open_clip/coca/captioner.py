"""CoCa captioner: generation and likelihood of texts, the abilities beyond the two towers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from mmbench.adapters.open_clip.coca import search
from mmbench.adapters.open_clip.coca.cache import Cache
from mmbench.adapters.open_clip.coca.decoder import Decoder, Tokens
from mmbench.adapters.open_clip.coca.likelihood import likelihoods
from mmbench.adapters.open_clip.source import Source
from mmbench.adapters.shared.asking import ask
from mmbench.harness.digest import digest_bytes
from mmbench.harness.errors import OnePicture, Unsupported
from mmbench.harness.models.abilities import Generation, Prepared

if TYPE_CHECKING:
    import torch

ToScore: TypeAlias = tuple[list[Prepared], str, list[str]]
ToWrite: TypeAlias = tuple[list[Prepared], str]


@dataclass(frozen=True, slots=True)
class Captioner:
    """The decoder of a CoCa model (Yu et al. 2022) as two abilities; nothing is loaded before the first question.

    Replies are decoded here, not by `CoCa.generate`, which needs a class that transformers 5 no longer has.
    """

    source: Source
    """Its model is a CoCa."""
    beams: int = 1
    """1 is greedy decoding, more is beam search."""

    def score_texts(self, items: list[ToScore]) -> list[list[float]]:
        """Return log p(text, end token | picture, prompt) of each text of each (pictures, prompt, texts).

        Natural logarithms, summed over the text's tokens and the end token. The text follows the prompt after one
        space; the prompt's own tokens are given and not counted. A text without tokens is the end token alone; the tail
        of one that exceeds the context is cut. Raises Unsupported for an item without one picture, TooLong for a
        prompt that fills the context, OutOfMemory, WeightsUnavailable and UsageError.
        """
        images = [_only(images) for images, _, _ in items]
        decoder = self._decoder()

        def question() -> list[list[float]]:
            pictures, numbers = _look(decoder, images)
            asked = [(number, prompt, texts) for number, (_, prompt, texts) in zip(numbers, items, strict=True)]
            return likelihoods(decoder, pictures, asked)

        return ask(decoder.model, question)

    def cuts_answer(self, prompt: str, text: str) -> bool:
        """Return True where `score_texts` scores the beginning of a text only, as no more of it fits."""
        return self._decoder().cuts(prompt, text)

    def generate(self, prompts: list[ToWrite], settings: Generation) -> list[str]:
        """Return for each (pictures, prompt) how the model continues the prompt, stripped, without the prompt.

        A reply ends at the end token, before the first of `stop`, after `max_tokens`, or where the context is full.
        Temperature 0 is greedy decoding, or beam search (`open_clip_search.beam_search`) with more than one beam; above
        0 tokens are drawn, seeded by picture and prompt, so that an equal question gets an equal reply. Raises
        Unsupported for an item without one picture and for beams at a temperature above 0, TooLong for a prompt that
        fills the context, OutOfMemory, WeightsUnavailable and UsageError.
        """
        if self.beams > 1 and settings.temperature > 0:
            raise Unsupported(
                f"{self.beams} beams need temperature 0, the task sets {settings.temperature:g}; leave out beams"
            )
        images = [_only(images) for images, _ in prompts]
        decoder = self._decoder()

        def question() -> list[Tokens]:
            pages = [_page(decoder, prompt, settings.max_tokens) for _, prompt in prompts]
            pictures, numbers = _look(decoder, images)
            seeds = [_digest(image, prompt) for image, (_, prompt) in zip(images, prompts, strict=True)]
            written: list[Tokens] = []
            for part in _parts(decoder, pictures, pages, self.beams):
                step = _step(decoder, pictures, numbers[part])
                written += self._write(decoder, step, pages[part], seeds[part], settings)
            return written

        return [_reply(decoder, written, settings) for written in ask(decoder.model, question)]

    def _write(
        self,
        decoder: Decoder,
        step: search.Step,
        pages: list[search.Page],
        seeds: list[str],
        settings: Generation,
    ) -> list[Tokens]:
        def ended(written: Tokens) -> bool:
            return written[-1] == decoder.end or _stops(decoder, written, settings) is not None

        if self.beams > 1:
            return search.beam_search(step, pages, ended, self.beams)
        greedy = settings.temperature == 0
        return search.write(
            step, pages, ended, search.likeliest if greedy else search.by_chance(settings.temperature, seeds)
        )

    def _decoder(self) -> Decoder:
        return Decoder(self.source.model, self.source.tokenizer)


def _only(images: list[Prepared]) -> Prepared:
    if len(images) != 1:
        told = OnePicture if images else Unsupported
        raise told(f"CoCa reads and writes about one picture; an item has {len(images)}")
    return images[0]


def _page(decoder: Decoder, prompt: str, max_tokens: int) -> search.Page:
    beginning = decoder.beginning(prompt)
    return search.Page(beginning, min(max_tokens, decoder.context - len(beginning)))


def _parts(decoder: Decoder, pictures: "torch.Tensor", pages: list[search.Page], beams: int) -> Iterator[slice]:
    """Yield slices of items whose keys and values fit into memory together."""
    longest = max((len(page.beginning) + page.room for page in pages), default=1)
    size = Cache.items(decoder, pictures, longest, beams)
    for start in range(0, len(pages), size):
        yield slice(start, start + size)


def _step(decoder: Decoder, pictures: "torch.Tensor", numbers: list[int]) -> search.Step:
    """Return the step of a search for items with the pictures of these numbers."""
    if Cache.serves(decoder.model):
        return Cache(decoder, pictures, numbers).next_logits
    return lambda rows: decoder.next_logits(pictures, [(numbers[item], tokens) for item, tokens in rows])


def _look(decoder: Decoder, images: list[Prepared]) -> tuple["torch.Tensor", list[int]]:
    """Return what the decoder sees of each distinct picture, and the number of each image's among them."""
    keys = [_digest(image) for image in images]
    distinct = dict(zip(keys, images, strict=True))
    numbers = {key: number for number, key in enumerate(distinct)}
    return decoder.look(list(distinct.values())), [numbers[key] for key in keys]


def _digest(image: Prepared, prompt: str = "") -> str:
    return digest_bytes(image.numpy().tobytes(), prompt.encode())


def _stops(decoder: Decoder, written: Tokens, settings: Generation) -> int | None:
    """Return where the first stop string begins, None where there is none."""
    if not settings.stop:
        return None
    text = decoder.words(written)
    return min((text.find(stop) for stop in settings.stop if stop in text), default=None)


def _reply(decoder: Decoder, written: Tokens, settings: Generation) -> str:
    return decoder.words(written)[: _stops(decoder, written, settings)].strip()
