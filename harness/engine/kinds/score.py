"""Likelihoods: `score_texts`, some pictures, a prompt and the texts that may follow it."""

from typing import Any

from mmbench.harness.engine import checks
from mmbench.harness.engine.kinds.kind import Inputs, Vectors, shown
from mmbench.harness.engine.packing import Value
from mmbench.harness.models.abilities import ScoresTexts
from mmbench.harness.types import Failure


class ScoreKind(Vectors):
    """Log-probabilities, one for each text of a question."""

    name = "score"
    window = 64

    def call(self, adapter: Any, inputs: Inputs) -> list[Value | Failure]:
        """Call `score_texts`. Raises BrokenReply."""
        items = [
            (shown(adapter, question, pictures), question.prompt, list(question.texts)) for question, pictures in inputs
        ]
        scorer: ScoresTexts = adapter
        return checks.scores(scorer.score_texts(items), [len(texts) for _, _, texts in items])


SCORE = ScoreKind()
