import gzip

from tests.lazy import Lazy, open_clip

merges = Lazy("mmbench.adapters.tiny.training.merges")

TEXTS = [
    "A red circle, above the green square!",
    "three threes there: is there a hexagon?",
    "what's 7 + 12",
    "bookkeeper mississippi banana",
]


def test_every_word_is_one_token_and_others_can_be_spelled(tmp_path):
    count = merges.write(TEXTS, tmp_path / "merges")
    tokenizer = open_clip.tokenizer.SimpleTokenizer(bpe_path=str(tmp_path / "merges"), context_length=16)
    words = merges.words_of(TEXTS)
    assert {"red", ",", "'s", "7", "mississippi"} < set(words)
    assert all(len(tokenizer.encode(word)) == 1 for word in words)
    # Two merges to the same token would leave ids beyond the size that the model is made for.
    assert tokenizer.vocab_size == count + 514 == max(tokenizer.decoder) + 1
    assert tokenizer.decode(tokenizer.encode("zebra threes née")) == "zebra threes née "


def test_same_words_same_bytes(tmp_path):
    merges.write(TEXTS, tmp_path / "one")
    merges.write([*reversed(TEXTS), TEXTS[0]], tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert gzip.decompress((tmp_path / "one").read_bytes()).startswith(b"#version")
