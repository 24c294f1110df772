"""A CLIP of open_clip as a folder of transformers: its weights, tokenizer and preparation of pictures."""

from pathlib import Path
from typing import Any

from tests.adapters.hf.tiny import transformers
from tests.lazy import open_clip, torch


def convert(model: Any, folder: Path) -> Path:
    """Save what an open_clip model with a vision transformer is, as transformers saves it."""
    vision, text = model.visual, model.transformer
    state = {
        **_tower(vision.transformer, "vision_model"),
        **_tower(text, "text_model"),
        "vision_model.embeddings.class_embedding": vision.class_embedding,
        "vision_model.embeddings.patch_embedding.weight": vision.conv1.weight,
        "vision_model.embeddings.position_embedding.weight": vision.positional_embedding,
        "visual_projection.weight": vision.proj.T,
        "text_model.embeddings.token_embedding.weight": model.token_embedding.weight,
        "text_model.embeddings.position_embedding.weight": model.positional_embedding,
        "text_projection.weight": model.text_projection.T,
        "logit_scale": model.logit_scale,
    }
    for name, norm in (
        ("vision_model.pre_layrnorm", vision.ln_pre),
        ("vision_model.post_layernorm", vision.ln_post),
        ("text_model.final_layer_norm", model.ln_final),
    ):
        state |= {f"{name}.weight": norm.weight, f"{name}.bias": norm.bias}
    size, patch = vision.image_size[0], vision.patch_size[0]
    made = transformers.CLIPModel(
        transformers.CLIPConfig(
            projection_dim=vision.proj.shape[1],
            vision_config={**_sizes(vision.transformer), "image_size": size, "patch_size": patch},
            text_config={
                **_sizes(text),
                "vocab_size": model.vocab_size,
                "max_position_embeddings": model.context_length,
                "pad_token_id": 0,
                "bos_token_id": 49406,
                "eos_token_id": 49407,
            },
        )
    )
    made.load_state_dict({name: each.detach().clone().contiguous() for name, each in state.items()})
    made.save_pretrained(folder)
    chosen = vision.preprocess_cfg
    transformers.CLIPImageProcessorPil(
        size={"shortest_edge": size},
        crop_size={"height": size, "width": size},
        image_mean=list(chosen["mean"]),
        image_std=list(chosen["std"]),
    ).save_pretrained(folder)
    words = open_clip.tokenizer.SimpleTokenizer()
    ends = {"<start_of_text>": "<|startoftext|>", "<end_of_text>": "<|endoftext|>"}
    vocabulary = {ends.get(word, word): number for word, number in words.encoder.items()}
    transformers.CLIPTokenizer(vocab=vocabulary, merges=list(words.bpe_ranks)).save_pretrained(folder)
    return folder


def _sizes(tower: Any) -> dict[str, Any]:
    block = tower.resblocks[0]
    return {
        "hidden_size": tower.width,
        "num_hidden_layers": len(tower.resblocks),
        "num_attention_heads": block.attn.num_heads,
        "intermediate_size": block.mlp.c_fc.out_features,
        "hidden_act": "gelu",
    }


def _tower(tower: Any, name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for i, block in enumerate(tower.resblocks):
        at = f"{name}.encoder.layers.{i}"
        for kind in ("weight", "bias"):
            whole = getattr(block.attn, f"in_proj_{kind}")
            for which, part in zip("qkv", torch.chunk(whole, 3), strict=True):
                found[f"{at}.self_attn.{which}_proj.{kind}"] = part
            for ours, theirs in (
                ("self_attn.out_proj", block.attn.out_proj),
                ("layer_norm1", block.ln_1),
                ("layer_norm2", block.ln_2),
                ("mlp.fc1", block.mlp.c_fc),
                ("mlp.fc2", block.mlp.c_proj),
            ):
                found[f"{at}.{ours}.{kind}"] = getattr(theirs, kind)
    return found
