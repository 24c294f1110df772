"""Tiny dual encoders of transformers with random weights, each saved as a person would save it."""

import json
from pathlib import Path
from typing import Any

from tests.lazy import Lazy, torch

transformers = Lazy("transformers")
tokenizers = Lazy("tokenizers")

TEXT = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "vocab_size": 600,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 4,
}
VISION = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
}
EFFICIENT_NET = {
    "in_channels": [32, 8],
    "out_channels": [8, 32],
    "kernel_sizes": [3, 3],
    "strides": [1, 2],
    "num_block_repeats": [1, 1],
    "expand_ratios": [1, 2],
    "depthwise_padding": [],
    "hidden_dim": 32,
    "width_coefficient": 1.0,
    "depth_coefficient": 1.0,
    "depth_divisor": 8,
}
SIZE = {"size": {"height": 32, "width": 32}}
CROPPED = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}

WORDS = [
    "a photo of a cat on the old wooden chair beside some books",
    "a small red bird sits on the old wooden fence today",
    "one tall blue cat stood by that new metal gate again",
]


def tokenizer(folder: Path, length: int = 64, *, end_is_largest: bool = False) -> None:
    """Save a tokenizer that puts a start token before each text and an end token behind it."""
    made = tokenizers.Tokenizer(tokenizers.models.BPE())
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<pad>", "<s>", "<unk>", "<mask>", "</s>"],
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(WORDS, trainer)
    end = "<end>" if end_is_largest else "</s>"
    made.add_special_tokens([end])
    made.post_processor = tokenizers.processors.TemplateProcessing(
        single=f"<s> $A {end}", special_tokens=[("<s>", 1), (end, made.token_to_id(end))]
    )
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=made,
        model_max_length=length,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token=end,
        unk_token="<unk>",
        mask_token="<mask>",
    ).save_pretrained(folder)


def save(kind: str, folder: Path, seed: int = 0) -> Path:
    """Save a model of a kind with its image processor and, where it has one, its tokenizer."""
    torch.manual_seed(seed)
    model, pictures = globals()[f"_{kind}"]()
    # Random weights of a published size make towers whose vectors hardly differ.
    for parameter in model.parameters():
        if parameter.ndim > 1:
            parameter.data.normal_(0, 0.15)
    model.save_pretrained(folder)
    pictures.save_pretrained(folder)
    tokenizer(folder, end_is_largest=kind == "xclip")
    return folder


KINDS = ("clip", "metaclip_2", "siglip", "siglip2", "align", "chinese_clip", "blip", "xclip")


def _clip() -> Any:
    config = transformers.CLIPConfig(text_config=TEXT, vision_config=VISION, projection_dim=24)
    return transformers.CLIPModel(config), transformers.CLIPImageProcessor(**CROPPED)


def _metaclip_2() -> Any:
    config = transformers.MetaClip2Config(text_config=TEXT, vision_config=VISION, projection_dim=24)
    return transformers.MetaClip2Model(config), transformers.CLIPImageProcessor(**CROPPED)


def _siglip() -> Any:
    config = transformers.SiglipConfig(text_config={**TEXT, "max_position_embeddings": 48}, vision_config=VISION)
    return transformers.SiglipModel(config), transformers.SiglipImageProcessor(**SIZE)


def _siglip2() -> Any:
    vision = {**VISION, "num_patches": 16, "patch_size": 8}
    del vision["image_size"]
    config = transformers.Siglip2Config(text_config=TEXT, vision_config=vision)
    return transformers.Siglip2Model(config), transformers.Siglip2ImageProcessor(patch_size=8, max_num_patches=20)


def _align() -> Any:
    text = {key: value for key, value in TEXT.items() if "token_id" not in key}
    config = transformers.AlignConfig(text_config=text, vision_config=EFFICIENT_NET, projection_dim=32)
    return transformers.AlignModel(config), transformers.EfficientNetImageProcessor(**SIZE)


def _chinese_clip() -> Any:
    text = {key: value for key, value in TEXT.items() if "token_id" not in key}
    config = transformers.ChineseCLIPConfig(text_config=text, vision_config=VISION, projection_dim=24)
    return transformers.ChineseCLIPModel(config), transformers.ChineseCLIPImageProcessor(**CROPPED)


def _blip() -> Any:
    text = {**TEXT, "encoder_hidden_size": 32, "sep_token_id": 4}
    config = transformers.BlipConfig(text_config=text, vision_config=VISION, image_text_hidden_size=24)
    return transformers.BlipForImageTextRetrieval(config), transformers.BlipImageProcessor(**SIZE)


def _xclip() -> Any:
    vision = {
        **VISION,
        "mit_hidden_size": 32,
        "mit_intermediate_size": 64,
        "mit_num_hidden_layers": 1,
        "mit_num_attention_heads": 2,
        "num_frames": 8,
    }
    config = transformers.XCLIPConfig(
        text_config=TEXT, vision_config=vision, projection_dim=32, prompt_layers=1, prompt_num_attention_heads=2
    )
    return transformers.XCLIPModel(config), transformers.VideoMAEImageProcessor(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    )


LANGUAGE = ("gpt2", "bert")


def language(kind: str, folder: Path, seed: int = 0) -> Path:
    """Save a language model and its tokenizer; GPT-2's puts no token before a text."""
    torch.manual_seed(seed)
    if kind == "gpt2":
        config = transformers.GPT2Config(
            vocab_size=600, n_positions=128, n_embd=32, n_layer=2, n_head=2, bos_token_id=4, eos_token_id=4
        )
        model = transformers.GPT2LMHeadModel(config)
    else:
        model = transformers.BertForMaskedLM(
            transformers.BertConfig(
                **{
                    **{name: each for name, each in TEXT.items() if "token_id" not in name},
                    "max_position_embeddings": 128,
                }
            )
        )
    for parameter in model.parameters():
        if parameter.ndim > 1:
            parameter.data.normal_(0, 0.15)
    model.save_pretrained(folder)
    tokenizer(folder, 128)
    if kind == "gpt2":
        content = json.loads((folder / "tokenizer.json").read_text())
        (folder / "tokenizer.json").write_text(json.dumps({**content, "post_processor": None}))
    return folder
