"""Tiny models of transformers that read a picture and write, with random weights, saved with processor and template."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.hf.tiny import CROPPED, SIZE, VISION, WORDS
from tests.lazy import Lazy, torch

transformers = Lazy("transformers")
tokenizers = Lazy("tokenizers")

Values = Mapping[str, Any]

LENGTH = 512
VOCABULARY = 1600
"""Above what any tokenizer here grows to: PaliGemma's processor adds 1152 tokens for places and masks."""

TEXT: Values = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "vocab_size": VOCABULARY,
    "max_position_embeddings": LENGTH,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 4,
}
GEMMA: Values = {**TEXT, "head_dim": 16, "query_pre_attn_scalar": 16}
MROPE: Values = {**TEXT, "head_dim": 16}
BERT: Values = {**TEXT, "encoder_hidden_size": 32, "sep_token_id": 4}
SEQ2SEQ: Values = {
    "vocab_size": VOCABULARY,
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
    "max_position_embeddings": LENGTH,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 4,
    "decoder_start_token_id": 4,
    "forced_bos_token_id": 1,
}
OPT: Values = {**TEXT, "model_type": "opt", "word_embed_proj_dim": 32, "ffn_dim": 64}
T5: Values = {
    "model_type": "t5",
    "vocab_size": VOCABULARY,
    "d_model": 32,
    "d_kv": 16,
    "d_ff": 64,
    "num_layers": 2,
    "num_heads": 2,
    "decoder_start_token_id": 0,
    "pad_token_id": 0,
    "eos_token_id": 4,
}
PATCHED: Values = {"depth": 2, "num_heads": 2, "hidden_size": 32, "intermediate_size": 64, "spatial_merge_size": 2}
DAVIT: Values = {
    "depths": [1, 1, 1, 1],
    "embed_dim": [8, 8, 16, 32],
    "num_heads": [2, 2, 2, 2],
    "num_groups": [2, 2, 2, 2],
    "window_size": 4,
    "projection_dim": 32,
}
QFORMER: Values = {**TEXT, "cross_attention_frequency": 1, "max_position_embeddings": 64}

QWEN_SIZE: Values = {"shortest_edge": 56 * 56, "longest_edge": 112 * 112}
QWEN_CLIP: Values = {"size": {"shortest_edge": 28 * 28, "longest_edge": 56 * 56}}
QWEN_3_CLIP: Values = {"size": {"shortest_edge": 2 * 32 * 32, "longest_edge": 16 * 32 * 32}}
TILED: Values = {"size": {"longest_edge": 64}, "max_image_size": {"longest_edge": 32}}

ROWS = [f"<row_{row}_col_{column}>" for row in range(1, 5) for column in range(1, 5)]


@dataclass(frozen=True)
class Made:
    """What sets one class apart; names of classes begin with `name`, keys name special tokens by `ids`."""

    name: str
    config: Callable[[], Values]
    """Keys of the configuration, ids of tokens apart."""
    pictures: tuple[str, Values]
    """Class of the image processor, and its keys."""
    tokens: Values = field(default_factory=lambda: {"image_token": "<image>"})
    """Names and texts of special tokens beside the usual ones."""
    ids: Values = field(default_factory=lambda: {"image_token_index": "<image>"})
    """Keys of the configuration, with the token whose id each holds."""
    processor: Values = field(default_factory=dict)
    template: tuple[str, str, str, str] | None = None
    """Start of all, start of a turn with `ROLE`, picture, end of a turn; the assistant's start is that of a turn."""
    videos: tuple[str, Values] | None = None
    """Class of the processor of videos, which some processors cannot be saved without, and its keys."""
    begins: bool = False
    """True where the tokenizer puts a start token before a text, also before one that a template began with it."""
    ends: bool = False
    """True where the tokenizer puts an end token behind a text."""
    prepared_by: str = ""
    """Class of the processor, where it is another model's."""


CHATML = ("", "<|im_start|>ROLE\n", "<|vision_start|><|image_pad|><|vision_end|>", "<|im_end|>\n")
QWEN = {
    "image_token": "<|image_pad|>",
    "video_token": "<|video_pad|>",
    "vision_start_token": "<|vision_start|>",
    "vision_end_token": "<|vision_end|>",
    "turn_token": "<|im_start|>",
    "turn_end_token": "<|im_end|>",
}
QWEN_IDS = {f"{name}_id": QWEN[name] for name in list(QWEN)[:4]}
IDEFICS = {
    "image_token": "<image>",
    "fake_image_token": "<fake_token_around_image>",
    "global_image_token": "<global-img>",
    "end_of_utterance_token": "<end_of_utterance>",
    "turn_token": "<|im_start|>",
    **{row: row for row in ROWS},
}


def _qwen(mrope: Values, vision: Values, **text: Any) -> Callable[[], Values]:
    rope = {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 1e4, **mrope}
    return lambda: {"text_config": {**MROPE, "rope_parameters": rope, **text}, "vision_config": {**PATCHED, **vision}}


def _of(vision: Values, text: Values, **keys: Any) -> Callable[[], Values]:
    return lambda: {"vision_config": dict(vision), "text_config": dict(text), **keys}


def _blip_2(text: Values, **wrapped: bool) -> Made:
    return Made(
        "Blip2",
        _of(VISION, text, qformer_config=dict(QFORMER), num_query_tokens=4),
        ("BlipImageProcessor", SIZE),
        tokens={},  # its processor adds the token of a picture
        processor={"num_query_tokens": 4},
        **wrapped,
    )


CLASSES: Mapping[str, Made] = {
    "llava": Made(
        "Llava",
        _of({**VISION, "model_type": "clip_vision_model"}, {**TEXT, "model_type": "llama"}, image_seq_length=16),
        ("CLIPImageProcessor", CROPPED),
        processor={"patch_size": 8, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1},
        template=("", "ROLE: ", "<image>\n", " "),
        begins=True,
    ),
    "llava_next": Made(
        "LlavaNext",
        _of(
            {**VISION, "model_type": "clip_vision_model"},
            {**TEXT, "model_type": "llama"},
            image_grid_pinpoints=[[32, 64], [64, 32], [64, 64]],
        ),
        (
            "LlavaNextImageProcessor",
            {**CROPPED, "image_grid_pinpoints": [[32, 64], [64, 32], [64, 64]]},
        ),
        processor={"patch_size": 8, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1},
        template=("", "ROLE: ", "<image>\n", " "),
        begins=True,
    ),
    "llava_onevision": Made(
        "LlavaOnevision",
        _of(
            {**VISION, "model_type": "siglip_vision_model", "vision_use_head": False},
            {**TEXT, "model_type": "qwen2"},
            image_grid_pinpoints=[[32, 32], [32, 64], [64, 32], [64, 64]],
        ),
        ("LlavaOnevisionImageProcessor", {**SIZE, "image_grid_pinpoints": [[32, 32], [32, 64], [64, 32], [64, 64]]}),
        tokens={**QWEN, "image_token": "<image>", "video_token": "<video>"},
        ids={"image_token_index": "<image>", "video_token_index": "<video>"},
        processor={"num_image_tokens": 16, "vision_feature_select_strategy": "full"},
        template=("", "<|im_start|>ROLE ", "<image>\n", "<|im_end|>"),
        videos=("LlavaOnevisionVideoProcessor", SIZE),
    ),
    "llava_next_video": Made(
        "LlavaNextVideo",
        _of(
            {**VISION, "model_type": "clip_vision_model"},
            {**TEXT, "model_type": "llama"},
            image_grid_pinpoints=[[32, 64], [64, 32], [64, 64]],
            spatial_pool_stride=2,
        ),
        (
            "LlavaNextImageProcessor",
            {**CROPPED, "image_grid_pinpoints": [[32, 64], [64, 32], [64, 64]]},
        ),
        tokens={"image_token": "<image>", "video_token": "<video>"},
        ids={"image_token_index": "<image>", "video_token_index": "<video>"},
        processor={"patch_size": 8, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1},
        template=("", "ROLE: ", "<image>\n", " "),
        videos=("LlavaNextVideoVideoProcessor", CROPPED),
        begins=True,
    ),
    "video_llava": Made(
        "VideoLlava",
        _of(
            {**VISION, "model_type": "clip_vision_model"},
            {**TEXT, "model_type": "llama"},
            image_seq_length=16,
            video_seq_length=136,
        ),
        ("VideoLlavaImageProcessor", CROPPED),
        tokens={"image_token": "<image>", "video_token": "<video>"},
        ids={"image_token_index": "<image>", "video_token_index": "<video>"},
        processor={"patch_size": 8, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1},
        template=("", "ROLE: ", "<image>\n", " "),
        videos=("VideoLlavaVideoProcessor", CROPPED),
        begins=True,
    ),
    "qwen2_vl": Made(
        "Qwen2VL",
        _qwen({}, {"embed_dim": 32}),
        ("Qwen2VLImageProcessor", {"size": QWEN_SIZE}),
        tokens=QWEN,
        ids=QWEN_IDS,
        template=CHATML,
        videos=("Qwen2VLVideoProcessor", QWEN_CLIP),
    ),
    "qwen2_5_vl": Made(
        "Qwen2_5_VL",
        _qwen({}, {"out_hidden_size": 32, "fullatt_block_indexes": [1], "window_size": 56}),
        ("Qwen2VLImageProcessor", {"size": QWEN_SIZE}),
        tokens=QWEN,
        ids=QWEN_IDS,
        template=CHATML,
        videos=("Qwen2VLVideoProcessor", QWEN_CLIP),
    ),
    "qwen3_vl": Made(
        "Qwen3VL",
        _qwen(
            {"mrope_interleaved": True},
            {"out_hidden_size": 32, "deepstack_visual_indexes": [0], "num_position_embeddings": 64},
        ),
        ("Qwen2VLImageProcessor", {"size": QWEN_SIZE, "patch_size": 16}),
        tokens=QWEN,
        ids=QWEN_IDS,
        template=CHATML,
        videos=("Qwen3VLVideoProcessor", QWEN_3_CLIP),
    ),
    "qwen3_vl_moe": Made(
        "Qwen3VLMoe",
        _qwen(
            {"mrope_interleaved": True},
            {"out_hidden_size": 32, "deepstack_visual_indexes": [0], "num_position_embeddings": 64},
            num_experts=4,
            num_experts_per_tok=2,
            moe_intermediate_size=32,
        ),
        ("Qwen2VLImageProcessor", {"size": QWEN_SIZE, "patch_size": 16}),
        tokens=QWEN,
        ids=QWEN_IDS,
        template=CHATML,
        videos=("Qwen3VLVideoProcessor", QWEN_3_CLIP),
        prepared_by="Qwen3VLProcessor",
    ),
    "smolvlm": Made(
        "SmolVLM",
        _of(VISION, {**TEXT, "model_type": "llama"}),
        ("SmolVLMImageProcessor", TILED),
        tokens=IDEFICS,
        ids={"image_token_id": "<image>"},
        processor={"image_seq_len": 4},
        template=("<|im_start|>", "ROLE:", "<image>", "<end_of_utterance>\n"),
        videos=("SmolVLMVideoProcessor", TILED),
    ),
    "internvl": Made(
        "InternVL",
        _of(VISION, {**TEXT, "model_type": "qwen2"}, image_seq_length=4),
        ("GotOcr2ImageProcessor", {**SIZE, "crop_to_patches": True, "max_patches": 2}),
        tokens={
            "start_image_token": "<img>",
            "end_image_token": "</img>",
            "context_image_token": "<IMG_CONTEXT>",
            "video_token": "<video>",
            "turn_token": "<|im_start|>",
            "turn_end_token": "<|im_end|>",
        },
        ids={"image_token_id": "<IMG_CONTEXT>"},
        processor={"image_seq_length": 4},
        template=("", "<|im_start|>ROLE\n", "<IMG_CONTEXT>\n", "<|im_end|>\n"),
        videos=("InternVLVideoProcessor", SIZE),
    ),
    "idefics3": Made(
        "Idefics3",
        _of(VISION, {**TEXT, "model_type": "llama"}),
        ("Idefics3ImageProcessor", TILED),
        tokens=IDEFICS,
        ids={"image_token_id": "<image>"},
        processor={"image_seq_len": 4},
        template=("<s>", "ROLE:", "<image>", "<end_of_utterance>\n"),
        begins=True,
    ),
    "paligemma": Made(
        "PaliGemma",
        _of(
            {**VISION, "model_type": "siglip_vision_model", "vision_use_head": False},
            {**GEMMA, "model_type": "gemma"},
            projection_dim=32,
        ),
        ("SiglipImageProcessor", {**SIZE, "image_seq_length": 16}),
        begins=True,
    ),
    "gemma3": Made(
        "Gemma3",
        _of(
            {**VISION, "model_type": "siglip_vision_model", "vision_use_head": False},
            {**GEMMA, "layer_types": ["sliding_attention", "full_attention"], "sliding_window": 16},
            mm_tokens_per_image=4,
        ),
        ("Gemma3ImageProcessor", SIZE),
        tokens={
            "image_token": "<image_soft_token>",
            "boi_token": "<start_of_image>",
            "eoi_token": "<end_of_image>",
            "turn_token": "<start_of_turn>",
            "turn_end_token": "<end_of_turn>",
        },
        ids={
            "image_token_index": "<image_soft_token>",
            "boi_token_index": "<start_of_image>",
            "eoi_token_index": "<end_of_image>",
        },
        processor={"image_seq_length": 4},
        template=("<s>", "<start_of_turn>ROLE\n", "<start_of_image>", "<end_of_turn>\n"),
        begins=True,
    ),
    "blip_2": _blip_2(OPT, begins=True),
    "blip_2_t5": _blip_2(T5, ends=True),
    "blip_captioning": Made(
        "Blip", _of(VISION, BERT), ("BlipImageProcessor", SIZE), ids={}, tokens={}, begins=True, ends=True
    ),
    "florence2": Made(
        "Florence2",
        _of(DAVIT, SEQ2SEQ),
        ("CLIPImageProcessor", {"size": {"height": 64, "width": 64}, "do_center_crop": False, "image_seq_length": 5}),
        ids={"image_token_id": "<image>"},
        processor={"num_additional_image_tokens": 1},
        begins=True,
        ends=True,
    ),
}


def save(kind: str, folder: Path, seed: int = 0) -> Path:
    """Save a tiny model of one of `CLASSES` as a person would: weights, processor, tokenizer and chat template."""
    return write(CLASSES[kind], folder, seed)


def write(made: Made, folder: Path, seed: int = 0) -> Path:
    """Save a tiny model of a class."""
    if made.name == "SmolVLM":
        pytest.importorskip("num2words")  # its processor cannot be made without; of the extra hf
    torch.manual_seed(seed)
    words = _tokenizer(made)
    config = dict(made.config())
    config |= {key: words.convert_tokens_to_ids(token) for key, token in made.ids.items()}
    model = getattr(transformers, f"{made.name}ForConditionalGeneration")(
        getattr(transformers, f"{made.name}Config")(**config)
    )
    for parameter in model.parameters():
        if parameter.ndim > 1:
            parameter.data.normal_(0, 0.15)
    model.save_pretrained(folder)
    name, keys = made.pictures
    parts = {"image_processor": getattr(transformers, name)(**keys), "tokenizer": words, **made.processor}
    if made.videos:
        name, keys = made.videos
        parts["video_processor"] = getattr(transformers, name)(**keys)
    if made.template:
        parts["chat_template"] = _template(made)
    getattr(transformers, made.prepared_by or f"{made.name}Processor")(**parts).save_pretrained(folder)
    return folder


def _tokenizer(made: Made) -> Any:
    special = ["<pad>", "<s>", "<unk>", "<mask>", "</s>", *made.tokens.values(), *made.ids.values()]
    model = tokenizers.Tokenizer(tokenizers.models.BPE())
    model.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    model.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=440,
        special_tokens=[*dict.fromkeys(special)],
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    model.train_from_iterator(WORDS, trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=model,
        model_max_length=LENGTH,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        add_bos_token=made.begins,
        add_eos_token=made.ends,
        extra_special_tokens=dict(made.tokens),
    )


def _template(made: Made) -> str:
    """Return a chat template in Jinja, for contents that are a text or a list of pictures, clips and texts."""
    assert made.template is not None
    start, turn, picture, end = made.template
    video = picture.replace("image_pad", "video_pad").replace("<image>", "<video>").replace("<IMG_CONTEXT>", "<video>")
    shown = f"{{% if part['type'] == 'image' %}}{{{{ {picture!r} }}}}"
    shown += f"{{% elif part['type'] == 'video' %}}{{{{ {video!r} }}}}" if made.videos else ""
    role = turn.split("ROLE")
    opening = f"{{{{ {role[0]!r} + message['role'] + {role[1]!r} }}}}"
    content = (
        "{% if message['content'] is string %}{{ message['content'] }}{% else %}{% for part in message['content'] %}"
        f"{shown}{{% else %}}{{{{ part['text'] }}}}{{% endif %}}"
        "{% endfor %}{% endif %}"
    )
    reply = turn.replace("ROLE", "assistant").rstrip(" ")
    return (
        f"{{{{ {start!r} }}}}{{% for message in messages %}}{opening}{content}{{{{ {end!r} }}}}{{% endfor %}}"
        f"{{% if add_generation_prompt %}}{{{{ {reply!r} }}}}{{% endif %}}"
    )
