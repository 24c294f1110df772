"""English words told apart by what they do to the words beside them."""

ATTRIBUTES = (
    "red blue white black brown grey gray pink purple orange left right top bottom middle front back male female"
    " big small large tall short long old new round square flat metal plastic glass stone brick paper leather"
    " simple cotton wood north south east west same first second third last hot cold dark light bright blond wet"
    " young"
)
"""Words that are attributes without an ending that shows it."""

MEANINGLESS = "yes no none not all both other one it is are be in on at of to and or if so do does true false any"
"""Words that can be an option's whole text and yet mean nothing of the kind inside a sentence."""

TURNING = "not no non never neither nor without none except cannot and or both all only but"
"""Words that turn the sense of what stands beside them: a part of a text with these does not stand for it."""
