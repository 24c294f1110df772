"""One honest NumPy adapter and its broken relatives, each wrong in a single way that real adapters have been."""

import hashlib
import time

import numpy as np

from mmbench.harness.digest import digest_bytes

SIZE, DIMENSION = 8, 16


def word_vector(word, place):
    seed = int.from_bytes(hashlib.sha256(f"{place} {word}".encode()).digest()[:8], "little")
    return np.random.default_rng(seed).standard_normal(DIMENSION)


class Honest:
    """Pictures as a projected grid of pixels, texts as a bag of words in their places."""

    def __init__(self, seed=0, path="model.npz"):
        random = np.random.default_rng(seed)
        self.path = path
        self.projection = random.standard_normal((SIZE * SIZE * 3, DIMENSION))
        self.mixing = random.standard_normal((DIMENSION, DIMENSION))

    @property
    def fingerprint(self):
        return digest_bytes(b"honest 1", self.projection.tobytes(), self.mixing.tobytes())

    def prepare_image(self, image):
        return np.asarray(image.resize((SIZE, SIZE)), np.float64).ravel() / 255 - 0.5

    def embed_images(self, images):
        return np.stack([pixels @ self.projection for pixels in images])

    def words(self, texts):
        return [np.stack([word_vector(word, i) for i, word in enumerate(text.split())]) for text in texts]

    def embed_texts(self, texts):
        return np.stack([words.mean(axis=0) @ self.mixing for words in self.words(texts)])


class OrderLost(Honest):
    """Sorts by length, so that batches waste no padding, and forgets to sort back."""

    def embed_texts(self, texts):
        return super().embed_texts(sorted(texts, key=len))


class PaddedBatch(Honest):
    """Divides by the length of the batch's longest text: the mean runs over the padding."""

    def embed_texts(self, texts):
        words = self.words(texts)
        longest = max(map(len, words))
        return np.stack([each.sum(axis=0) / longest @ self.mixing for each in words])


class FixedPosition(Honest):
    """Pools where the text's fourth word is, which has seen nothing of the words after it."""

    def embed_texts(self, texts):
        return np.stack([words[:4].mean(axis=0) @ self.mixing for words in self.words(texts)])


class FirstRegion(Honest):
    """Pools the first rows of the grid and never sees the rest of the picture."""

    def embed_images(self, images):
        return np.stack([pixels[:72] @ self.projection[:72] for pixels in images])


class NamedFingerprint(Honest):
    """Is known by its name, whatever the weights are."""

    fingerprint = "honest/base"


class PathFingerprint(Honest):
    """Is another model wherever its file lies."""

    @property
    def fingerprint(self):
        return super().fingerprint + self.path


class WanderingFingerprint(Honest):
    """Counts its use into its fingerprint."""

    used = 0

    @property
    def fingerprint(self):
        return f"{super().fingerprint} {self.used}"

    def embed_texts(self, texts):
        self.used += 1
        return super().embed_texts(texts)


class NotImplementedMethod(Honest):
    """Inherits a promise that it cannot keep."""

    def embed_videos(self, videos):
        raise NotImplementedError


class NotAMethod(Honest):
    """Says that it can generate, and has nothing to do it with."""

    generate = True


class ReturnsNothing(Honest):
    def score_texts(self, items):
        pass


class Nothing:
    fingerprint = "nothing"


class Dropout(Honest):
    """Is left in training mode."""

    def embed_images(self, images):
        vectors = super().embed_images(images)
        return vectors * (np.random.default_rng().random(vectors.shape) > 0.1)


class NewWeights(Honest):
    """Draws a missing layer's weights anew each time it is built, under the fingerprint of the file."""

    fingerprint = "file 1"

    def __init__(self):
        super().__init__(seed=None)


class SharedBuffer(Honest):
    """Prepares every picture in one and the same buffer."""

    buffer = np.empty(SIZE * SIZE * 3)

    def prepare_image(self, image):
        self.buffer[:] = super().prepare_image(image)
        time.sleep(1e-4)
        return self.buffer.copy()


class InPlace(Honest):
    """Says that it prepares once, and changes what it prepared."""

    prepares_once = True

    def embed_images(self, images):
        made = super().embed_images(images)
        for image in images:
            image[::2] = 0
        return made


class TwoSpaces(Honest):
    def embed_texts(self, texts):
        return super().embed_texts(texts)[:, :8]


class NotFinite(Honest):
    def embed_texts(self, texts):
        return np.log(super().embed_texts(texts) * 0 - 1)


class OneRow(Honest):
    def embed_images(self, images):
        return super().embed_images(images)[:1]


class Crashing(Honest):
    def embed_images(self, images):
        raise RuntimeError("no kernel image is available")


class Scores:
    """A scorer; `better` than certain when asked to."""

    def __init__(self, better=0.0, blind=False):
        self.better, self.blind = better, blind
        self.fingerprint = f"scores {better} {blind}"

    def score_texts(self, items):
        return [
            [self.better - len(text) - len(prompt) / 7 - self.seen(images) for text in texts]
            for images, prompt, texts in items
        ]

    def seen(self, images):
        return 0 if self.blind else float(np.asarray(images[0], float).mean())


class TextAlone(Scores):
    """Says that it takes text alone; `honest` or not."""

    takes_text_alone = True

    def __init__(self, honest=True):
        super().__init__()
        self.honest = honest

    def score_texts(self, items):
        self.bright = any(images for images, _, _ in items)
        return super().score_texts(items)

    def seen(self, images):
        if images:
            return super().seen(images)
        return 0.0 if self.honest else float(self.bright)


class Replies:
    """A writer; with `shared`, the first prompt's reply goes to the whole batch."""

    def __init__(self, shared=False):
        self.shared = shared
        self.fingerprint = f"replies {shared}"

    def generate(self, prompts, settings):
        replies = [f"{len(prompt)} letters" for _, prompt in prompts]
        return [replies[0]] * len(replies) if self.shared else replies
