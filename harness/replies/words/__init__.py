"""The words of each language by the role that they play in a reply."""

from mmbench.harness.replies.words import (
    arabic,
    chinese,
    english,
    french,
    german,
    hindi,
    italian,
    japanese,
    korean,
    others,
    portuguese,
    russian,
    spanish,
)

GROUPS = (
    (
        english.WORDS,
        german.WORDS,
        french.WORDS,
        spanish.WORDS,
        portuguese.WORDS,
        italian.WORDS,
        *others.LATIN,
    ),
    (chinese.WORDS, japanese.WORDS),
    (korean.WORDS,),
    (russian.WORDS, others.UKRAINIAN),
    (arabic.WORDS, others.PERSIAN),
    (hindi.WORDS,),
    (others.GREEK,),
    (others.THAI,),
    (others.HEBREW,),
)
"""Languages by script: of each script a sentence is read in the one language that knows most of its words."""

REFUSALS = (
    tuple(
        module.REFUSALS
        for module in (
            english,
            chinese,
            japanese,
            korean,
            german,
            french,
            spanish,
            portuguese,
            italian,
            russian,
            arabic,
            hindi,
        )
    )
    + others.REFUSALS
)
"""Words of refusals by role, of all languages at once: each phrase tells its own language."""
