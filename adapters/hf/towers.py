"""Passes through the towers of a dual encoder of transformers, which differ by kind in how a vector is read."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def images(model: Any, inputs: "dict[str, torch.Tensor]") -> "tuple[torch.Tensor, torch.Tensor | None]":
    """Return (n, d) vectors of prepared pictures, and the (n, e) vectors before the projection where there are such."""
    name = model.config.model_type
    if name == "blip":
        pooled = model.vision_model(**inputs).last_hidden_state[:, 0, :]
        return model.vision_proj(pooled), pooled
    if name == "xclip":
        # A picture is a clip that stands still, of as many frames as the model was made for.
        frames = model.config.vision_config.num_frames
        return videos(model, inputs["pixel_values"][:, None].expand(-1, frames, -1, -1, -1)), None
    if hasattr(model, "visual_projection"):  # CLIP and its kin: the steps of their get_image_features
        pooled = model.vision_model(**inputs).pooler_output
        return model.visual_projection(pooled), pooled
    return _pooled(model.get_image_features(**inputs)), None


def videos(model: Any, pixels: "torch.Tensor") -> "torch.Tensor":
    """Return (n, d) vectors of (n, frames, 3, height, width) clips of X-CLIP."""
    return _pooled(model.get_video_features(pixel_values=pixels))


def clips(model: Any, pixels: "torch.Tensor") -> "tuple[torch.Tensor, torch.Tensor]":
    """Return (n, d) vectors of clips of X-CLIP, and the (n, patches, d) means over frames by which texts are changed.

    These are the steps of its forward pass, which does not give the latter.
    """
    count, frames = pixels.shape[:2]
    seen = model.vision_model(pixel_values=pixels.flatten(0, 1))
    whole = model.visual_projection(seen.pooler_output).view(count, frames, -1)
    patches = model.prompts_visual_layernorm(seen.last_hidden_state[:, 1:, :]) @ model.prompts_visual_projection
    return model.mit(whole).pooler_output, patches.view(count, frames, *patches.shape[1:]).mean(dim=1)


def texts(model: Any, inputs: "dict[str, torch.Tensor]") -> "torch.Tensor":
    """Return (n, d) vectors of padded token ids and, where it is given, their attention mask."""
    if model.config.model_type == "blip":
        hidden = model.text_encoder(**inputs).last_hidden_state
        projected: torch.Tensor = model.text_proj(hidden[:, 0, :])
        return projected
    return _pooled(model.get_text_features(**inputs))


def logit_scale(model: Any) -> float | None:
    """Return the factor of the cosines: the exponential of the learnt scale, or one by a temperature; else None."""
    if hasattr(model, "logit_scale"):
        return float(model.logit_scale.detach().float().exp())
    if model.config.model_type == "align":
        return 1 / float(model.temperature.detach().float())
    return None


def _pooled(output: Any) -> "torch.Tensor":
    # A tensor in transformers 4, an output with a pooled vector since.
    found: torch.Tensor = output if not hasattr(output, "pooler_output") else output.pooler_output
    return found
