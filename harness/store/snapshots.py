"""Snapshots: the version of a served model that all its remembered answers come from."""

from mmbench.harness.errors import Unavailable
from mmbench.harness.store.database import Database


class Snapshots:
    """The first version that each model's service named, which no other answer is mixed with."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._first: dict[int, str] = {}

    def change(self, model: int, snapshot: str) -> Unavailable | None:
        """Return what to raise where this version is not that of the answers before; None where it is, or is not told.

        The first version that is told becomes the model's.
        """
        if not snapshot or self._first.get(model) == snapshot:
            return None
        # Another process may have been first.
        self._database.do("INSERT OR IGNORE INTO snapshots VALUES (?,?)", (model, snapshot))
        (first,) = self._database.rows("SELECT snapshot FROM snapshots WHERE model=?", (model,))[0]
        self._first[model] = str(first)
        if first == snapshot:
            return None
        return Unavailable(
            f"the server now answers with '{snapshot}', and all answers before came from '{first}'; those are kept, "
            "and none of the new ones is mixed with them",
            step=f"ask the new one by its name or with ,snapshot={snapshot}, whose answers are kept apart, or forget "
            "the old ones with mmbench store prune --model LABEL",
        )

    def forget(self) -> None:
        """Forget what is known besides the file."""
        self._first.clear()
