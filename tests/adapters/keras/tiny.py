"""Tiny dual encoders of KerasHub with random weights, saved as presets by a process of their own.

Keras has one backend a process, and its import brings tensorflow: the tests' own process stays without both.
"""

import sys
from pathlib import Path
from typing import Any

TEXT = {"hidden_dim": 32, "num_layers": 2, "num_heads": 2, "intermediate_dim": 64, "max_sequence_length": 48}
VISION = {"patch_size": 8, "hidden_dim": 32, "num_layers": 2, "num_heads": 2, "intermediate_dim": 64}
SHAPE = (32, 32, 3)
PREPARED = {"image_size": (32, 32), "scale": [1 / 255 / 0.27] * 3, "offset": [-1.7] * 3, "interpolation": "bicubic"}
WORDS = ["th e</w>", "c a", "ca t</w>", "d o", "do g</w>", "r e", "re d</w>"]


def clip(folder: Path, seed: int) -> None:
    import keras
    import keras_hub
    from tokenizers.pre_tokenizers import ByteLevel

    keras.utils.set_random_seed(seed)
    models = keras_hub.models
    letters = sorted(ByteLevel.alphabet())
    pieces = [*letters, *(f"{each}</w>" for each in letters)]
    merges = ["t h", *WORDS]
    pieces += ["".join(each.split()) for each in merges] + ["<|startoftext|>", "<|endoftext|>"]
    backbone = models.CLIPBackbone(
        models.CLIPVisionEncoder(**VISION, image_shape=SHAPE),
        models.CLIPTextEncoder(vocabulary_size=600, embedding_dim=32, **TEXT),
        projection_dim=24,
    )
    _spread(backbone, seed)
    backbone.save_to_preset(str(folder))
    models.CLIPPreprocessor(
        models.CLIPTokenizer(vocabulary={each: number for number, each in enumerate(pieces)}, merges=merges),
        keras_hub.layers.CLIPImageConverter(antialias=True, **PREPARED),
        sequence_length=48,
    ).save_to_preset(str(folder))


def siglip(folder: Path, seed: int) -> None:
    import io

    import keras
    import keras_hub
    import sentencepiece

    keras.utils.set_random_seed(seed)
    models, written = keras_hub.models, io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["the red cat sat", "a small dog and a red bird", "one old house by the river"] * 20),
        model_writer=written, vocab_size=60, model_type="unigram", pad_id=0, eos_id=1, bos_id=-1, unk_id=2,
        pad_piece="<pad>", eos_piece="</s>", unk_piece="<unk>", hard_vocab_limit=False, minloglevel=2,
    )  # fmt: skip
    backbone = models.SigLIPBackbone(
        models.SigLIPVisionEncoder(**VISION, image_shape=SHAPE),
        models.SigLIPTextEncoder(vocabulary_size=600, embedding_dim=32, **TEXT),
    )
    _spread(backbone, seed)
    backbone.save_to_preset(str(folder))
    models.SigLIPPreprocessor(
        models.SigLIPTokenizer(proto=written.getvalue()),
        keras_hub.layers.SigLIPImageConverter(**PREPARED),
        sequence_length=48,
    ).save_to_preset(str(folder))


def _spread(backbone: Any, seed: int) -> None:
    """Make random weights larger, and number the places of patches, all 0 in a model that KerasHub converted from none.

    Weights of a published size make towers whose vectors hardly differ.
    """
    import numpy as np

    draw = np.random.default_rng(seed)
    for weight in backbone.weights:
        if weight.path.endswith("position_ids"):
            weight.assign(np.arange(weight.shape[-1]).reshape(weight.shape))
        elif len(weight.shape) > 1:
            weight.assign(draw.normal(0, 0.15, weight.shape).astype("float32"))


if __name__ == "__main__":
    for kind, place, seed in zip(sys.argv[1::3], sys.argv[2::3], sys.argv[3::3], strict=True):
        globals()[kind](Path(place), int(seed))
