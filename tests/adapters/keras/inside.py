"""Checks of presets in a process that has keras; each prints what it found as JSON."""

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.adapters.keras import tiny

TEXTS = ["a red cat", "The DOG by a river", "dog " * 60, ""]


def load(folder: str) -> Any:
    from mmbench.adapters.keras.adapter import from_spec

    return from_spec(folder, device="cpu", dtype="auto", offline=True)


def pictures() -> list[Any]:
    import numpy as np
    import PIL.Image

    noise = np.random.default_rng(5)
    sizes = [(40, 30), (32, 32), (91, 50)]
    return [PIL.Image.fromarray(noise.integers(0, 256, (h, w, 3), dtype=np.uint8)) for w, h in sizes]


def contract(*folders: str) -> dict[str, Any]:
    """Broken clauses of each preset, and whether torch was imported for them."""
    from mmbench.adapters.contract.check import violations

    other = Path(folders[0]).parent / "other"
    tiny.clip(other, 1)
    found = {
        folder: violations(partial(load, folder), changed={"weights": partial(load, str(other))}) for folder in folders
    }
    told = [load(folder) for folder in folders]
    return {
        "broken": found,
        "truncates": [adapter.truncates(TEXTS) for adapter in told],
        "scales": [[adapter.logit_scale, adapter.logit_bias] for adapter in told],
        "torch": "torch" in sys.modules,
    }


def transformers(folder: str) -> dict[str, Any]:
    """Largest differences, relative to their norms, from a CLIP of transformers with the preset's weights."""
    import numpy as np
    import torch
    from transformers import CLIPConfig, CLIPModel

    adapter = load(folder)
    adapter.load_weights()
    weights = {each.path: torch.from_numpy(np.array(each.value)) for each in adapter._model.weights}
    end = adapter._preprocessor.tokenizer.end_token_id
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    text = {**sizes, "vocab_size": 600, "max_position_embeddings": 48, "eos_token_id": end, "bos_token_id": 0}
    vision = {**sizes, "image_size": 32, "patch_size": 8}
    model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=24)).eval()
    model.load_state_dict({name: _found(name, weights, each) for name, each in model.state_dict().items()})
    prepared = [adapter.prepare_image(each) for each in pictures()]
    ids = torch.from_numpy(adapter._tokens(TEXTS)["token_ids"]).long()
    with torch.inference_mode():
        seen = model.get_image_features(torch.from_numpy(np.stack(prepared)).permute(0, 3, 1, 2)).pooler_output
        read = model.get_text_features(ids).pooler_output
    pairs = ((adapter.embed_images(prepared).embedding, seen), (adapter.embed_texts(TEXTS), read))
    return {"apart": [float((np.abs(a - b.numpy()).max(1) / np.linalg.norm(a, axis=1)).max()) for a, b in pairs]}


def _found(name: str, weights: dict[str, Any], like: Any) -> Any:
    """The weight of a preset that transformers knows by this name, in its shape."""
    if name == "logit_scale":
        return weights["clip_head/logit_scale"]
    tower, _, inner = name.replace("visual_projection", "vision_projection").partition(".")
    if tower.endswith("_projection"):
        return weights[f"{tower}/kernel"].T
    head = f"clip_{tower.removesuffix('_model')}_encoder"
    for theirs, ours in (
        ("embeddings.class_embedding", "_embedding/class_embedding"),
        ("embeddings.patch_embedding.weight", "_embedding/patch_embedding/kernel"),
        ("embeddings.position_embedding.weight", "_embedding/position_embedding/embeddings"),
        ("embeddings.token_embedding.weight", "_embedding/token_embedding/embeddings"),
        ("pre_layrnorm.", "_pre_layer_norm/"),
        ("post_layernorm.", "_layer_norm/"),
        ("final_layer_norm.", "_layer_norm/"),
        ("encoder.layers.", "_encoder_block_"),
        (".self_attn.q_proj.", "/attention/query/"),
        (".self_attn.k_proj.", "/attention/key/"),
        (".self_attn.v_proj.", "/attention/value/"),
        (".self_attn.out_proj.", "/attention/attention_output/"),
        (".layer_norm1.", "/layer_norm_1/"),
        (".layer_norm2.", "/layer_norm_2/"),
        (".mlp.fc1.", "/dense_1/"),
        (".mlp.fc2.", "/dense_2/"),
    ):
        inner = inner.replace(theirs, ours)
    place = head + inner
    if place not in weights:
        norm = "layer_norm" in place
        place = place.removesuffix("weight") + ("gamma" if norm else "kernel") if place.endswith("weight") else place
        place = place.removesuffix("bias") + "beta" if norm and place.endswith("bias") else place
    found = weights[place]
    if place.endswith("patch_embedding/kernel"):
        return found.permute(3, 2, 0, 1)
    if place.endswith("kernel"):
        width = found.shape[0] * found.shape[1] if "attention_output" in place else found.shape[0]
        return found.reshape(width, -1).T
    return found.reshape(like.shape)


if __name__ == "__main__":
    checks: dict[str, Callable[..., dict[str, Any]]] = {"contract": contract, "transformers": transformers}
    print(json.dumps(checks[sys.argv[1]](*sys.argv[2:])))
