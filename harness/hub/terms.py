"""Under what terms a model of the hub may be had, as the hub tells."""

from mmbench.harness.hub.access import SECONDS, failures, no_answer, offline


def terms_of_model(repository: str) -> tuple[str, str]:
    """Return licence and gate (`auto`, `manual`) of a model; empty where the hub does not tell, or cannot be asked."""
    if offline() or no_answer() is not None:
        return "", ""
    from huggingface_hub import HfApi

    try:
        told = HfApi().model_info(repository, timeout=SECONDS)
    except failures():
        return "", ""
    stated = getattr(told.card_data, "license", None)
    licence = ", ".join(map(str, stated)) if isinstance(stated, list) else str(stated or "")
    return licence, str(told.gated or "")
