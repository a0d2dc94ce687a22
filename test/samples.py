"""Small corpora and options that several test files use."""

import json

import numpy as np
import pytest

from rnntag.corpus import Sentence
from rnntag.errors import ModelError
from rnntag.storage.modelfile import MANIFEST, load, save, sha256

TEXT = b"the_DT dog_NN runs_VB ._.\na_DT cat_NN sees_VB the_DT dog_NN ._.\ndogs_NN run_VB ._.\n" * 3
TOY = b"a_X b_Y a_Z\na_X c_X b_Y\n"  # the example of the NAIST NLP tutorial 5
THREE = [Sentence("the dog runs".split(), "DT NN VB".split()), Sentence("a run".split(), "DT NN".split()),
         Sentence("dogs run to a dog .".split(), "NN VB TO DT NN .".split())]
ODD = [Sentence(words.split(" "), tags.split(" ")) for words, tags in (  # with words that formats trip over
    ("the dog runs", "DT NN VB"), ("a caf\u00e9 [ in_side ]", "DT NN ( IN )"),
    ("dogs run to a\u3000dog .", "NN VB TO NN ."))]

# the seed's algorithm, so that tests do not move with the default preset
SGD = {"cell": "elman", "optimizer": "sgd", "batch_size": 1, "learning_rate": 0.05}
SMALL = {**SGD, "embedding": 8, "hidden": 6, "filters": 8, "char_embedding": 4, "epochs": 4, "dropout": 0.2}
KINDS = {  # of taggers: what to change in SMALL
    "elman": {}, "gru": {"cell": "gru", "bidirectional": False}, "lstm": {"cell": "lstm", "layers": 2},
    "one-hot": {"embedding": 0, "features": "form"}, "convolution": {"encoder": "cnn", "window": 3},
    "crf": {"output": "crf"}, "vectors": {"vectors": 3},
    "characters": {"char_rnn": 3, "dense": ("5:relu",)},
}


def tagged(*lines):
    """Sentences of word_TAG, numbered by line."""
    return [Sentence(*(list(side) for side in zip(*(item.rsplit("_", 1) for item in line.split(" ")))), number)
            for number, line in enumerate(lines, 1)]


def written(sentences):
    """Sentences as the bytes of a wordtag file."""
    return "".join(" ".join(map("_".join, zip(s.words, s.tags))) + "\n" for s in sentences).encode()


def sentences(count, seed=1):
    """``the read`` is a noun, ``to read`` a verb: the tag takes context."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        words, tags = [], []
        for _ in range(rng.integers(1, 5)):
            first, tag = [("the", "NN"), ("to", "VB"), ("a", "NN")][rng.integers(3)]
            words += [first, ["read", "walk", "run", "Talk"][rng.integers(4)]]
            tags += ["DT" if tag == "NN" else "TO", tag]
        made.append(Sentence(words, tags))
    return made


def text():
    """Sentences to tag, of words alone: known and unknown words, long and short, empty ones."""
    words = [s.words for s in sentences(30, seed=3)]
    return [[], *words, ["unseen"], [], ["the", "Unseen-1", "to"], ["to", "read"] * 40, []]


def noisy(count, seed=5):
    """Sentences of which every fifth word has the wrong tag: nobody can be sure."""
    rng = np.random.default_rng(seed)
    return [Sentence(s.words, [tag if rng.random() > 0.2 else ["DT", "NN", "TO", "VB"][rng.integers(4)]
                               for tag in s.tags]) for s in sentences(count, seed)]


def cue_task(count, seed, end):
    """Every other token's tag copies the cue at one end of the sentence: its first token, or its last."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        cue, length = "ab"[rng.integers(2)], rng.integers(2, 5)
        words, tags = [cue, *["x"] * length], ["CUE", *[cue.upper()] * length]
        made.append(Sentence(words[::end], tags[::end]))
    return made


def seal(folder, **changes):
    """Write the checksums of what is in the folder, and other changes, into its manifest."""
    manifest = json.loads((folder / MANIFEST).read_text())
    for name in manifest["sha256"]:
        manifest["sha256"][name] = sha256((folder / name).read_bytes())
    manifest.update(changes)
    (folder / MANIFEST).write_text(json.dumps(manifest))


def edited(folder, model, file, edit):
    """Write ``model`` to ``folder``, change the values of a JSON file there, and mend the checksums."""
    save(folder, model)
    values = json.loads((folder / file).read_text())
    edit(values)
    (folder / file).write_text(json.dumps(values))
    seal(folder)


def refusal(folder):
    """The message about a model that cannot be loaded, checked to be helpful."""
    with pytest.raises(ModelError) as error:
        load(folder)
    message = str(error.value)
    assert message.startswith(str(folder)), "a message begins with the place"
    assert "\n" not in message
    return message
