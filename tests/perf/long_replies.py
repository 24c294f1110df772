"""Times the matcher on replies of 2 MB of many shapes; exits 1 when one takes a second of processor time.

Run as `python tests/perf/long_replies.py`. Each is one piece repeated, matched against four options.
"""

import sys
import time

from mmbench.harness.replies.match import match_option

SIZE = 2_000_000
MOST_SECONDS = 1.0
OPTIONS = ["a cat", "a dog", "a red car", "the left"]
PIECES = {
    "prose": "The picture shows a cat on a chair, and next to it stands a lamp. I think that it is morning. ",
    "a word": "cat ",
    "an option": "a cat ",
    "alternatives": "a cat or ",
    "corrections": "Wait, it is a dog. ",
    "conclusions": "The answer is A. ",
    "a letter": "a",
    "digits": "1234567890",
    "numbers": "7 ",
    "brackets": "(",
    "letters in brackets": "(A) ",
    "dollars": "$",
    "boxes": "\\boxed{",
    "stars": "*",
    "empty thoughts": "<think></think>",
    "thoughts that open": "<think>",
    "thoughts that close": "</think>",
    "thoughts by line": "<think>a\n</think>\n",
    "other tags": "<a>",
    "channels": "<|channel|>final<|message|>",
    "newlines": "\n",
    "spaces": " ",
    "nothing to see": "\u200b",
    "Chinese": "这张图片显示一只猫坐在椅子上。",
    "Arabic": "هذه قطة. ",
    "JSON": '{"answer": "a cat"}, ',
}


def main() -> int:
    """Print each shape's seconds; return the exit status."""
    slowest = 0.0
    for name, piece in PIECES.items():
        reply = (piece * (SIZE // len(piece.encode()) + 1)).encode()[:SIZE].decode(errors="ignore")
        start = time.process_time()
        match_option(reply, OPTIONS)
        seconds = time.process_time() - start
        slowest = max(slowest, seconds)
        print(f"{name:20} {seconds:.2f} s")
    print(f"slowest: {slowest:.2f} s (at most {MOST_SECONDS:g})")
    return int(slowest > MOST_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
