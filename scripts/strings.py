"""What transducers make of three tasks, beside what is simpler: ``python scripts/strings.py TASK ...``.

    reverse                    strings of 1 to 20 random letters, to be reversed
    readings PRON_WORD         words and how they are read, from lines of reading_word; every tenth is for the test
    lemmas TRAIN DEV           lemmas of the words of DEV that TRAIN lacks: by edit scripts, encoder-decoder and both

Prints a line for each system: its name, and the share of right strings (reverse, lemmas) or the share of wrong
characters (readings), all in percent. ``--seeds`` gives the mean over several trainings, and how far they are apart.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path
from statistics import mean, stdev

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import rnntag.cli  # noqa: E402,F401  (sets one BLAS thread, before numpy is imported)
import numpy as np  # noqa: E402

from rnntag.corpus import Layout, read, read_tagged  # noqa: E402
from rnntag.corpus.pairs import Pair, Question  # noqa: E402
from rnntag.models.options import Options, preset  # noqa: E402
from rnntag.models.transducer import TransducerOptions  # noqa: E402
from rnntag.training.transducing import train_transducer  # noqa: E402


def written(transducer, pairs, beam):
    """What a transducer makes of the sources of some pairs."""
    return [best[0].symbols for best in transducer.transduce((Question(pair.source) for pair in pairs), beam)]


def reverse(arguments, seed):
    """The share of unseen strings that are reversed without a mistake."""
    rng = np.random.default_rng(seed)
    letters = [chr(97 + k) for k in range(26)]
    strings = [tuple(rng.choice(letters, rng.integers(1, 21))) for _ in range(61_000)]
    pairs = [Pair(string, string[::-1]) for string in dict.fromkeys(strings)]
    train, test = pairs[:-1000], pairs[-1000:]
    options = TransducerOptions(seed=seed, epochs=arguments.epochs or 6, hidden=128, embedding=64, batch_size=32,
                                dropout=0.0, attention=arguments.attention)
    answers = written(train_transducer(train, options), test, 1)
    return {"encoder-decoder": mean(answer == list(pair.target) for answer, pair in zip(answers, test))}


# ------------------------------------------------------------------ readings


def distance(a, b):
    """The least number of characters to insert, delete and replace (Levenshtein 1966)."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        above, row = row, [i]
        for j, y in enumerate(b, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (x != y)))
    return row[-1]


def longest_match(table, word):
    """The reading of a word put together from left to right of the longest pieces in the table; else as it is."""
    found, start = [], 0
    while start < len(word):
        end = next((end for end in range(len(word), start, -1) if word[start:end] in table), start + 1)
        found.append(table.get(word[start:end], word[start:end]))
        start = end
    return "".join(found)


def readings(arguments, seed):
    """The share of wrong characters: copied, by a table, by an encoder-decoder, and by table or encoder-decoder."""
    # a file of reading_word is one of word_TAG to the reader
    lines = [list(zip(sentence.tags, sentence.words)) for sentence in read(arguments.files[0], "wordtag")]
    train = [pair for number, line in enumerate(lines, 1) if number % 10 for pair in line]
    test = [pair for number, line in enumerate(lines, 1) if not number % 10 for pair in line]
    counts = Counter(train)
    table = {}
    for (word, reading), _ in counts.most_common():
        table.setdefault(word, reading)
    options = TransducerOptions(seed=seed, epochs=arguments.epochs or 30, min_count=1,
                                attention=arguments.attention)
    transducer = train_transducer([Pair(tuple(word), tuple(reading)) for word, reading in counts], options)
    words = list(dict.fromkeys(word for word, _ in test))
    decoded = dict(zip(words, map("".join, written(transducer, [Pair(tuple(word), ()) for word in words], 4))))
    systems = {"copying": lambda word: word, "table": lambda word: longest_match(table, word),
               "encoder-decoder": decoded.get,
               "table, else encoder-decoder": lambda word: table.get(word) or decoded[word]}
    total = sum(len(reading) for _, reading in test)
    return {name: sum(distance(answer(word), reading) for word, reading in test) / total
            for name, answer in systems.items()}


# ------------------------------------------------------------------ lemmas


def lemmas(arguments, seed):
    """The share of right lemmas, of unseen words and of all, with columns as the tagger answers them."""
    from dataclasses import replace

    from rnntag.models.tagger import RNNTagger
    from rnntag.training.tagging import train_tagger

    layout = Layout("conllu", field=("upos", "feats", "lemma"))
    train, dev = (read_tagged(path, layout) for path in arguments.files)
    began = time.process_time()
    tagger = train_tagger(train, preset("columns", seed=seed, epochs=arguments.epochs or Options.epochs))
    print(f"seed {seed}: {time.process_time() - began:.0f} CPU seconds", file=sys.stderr)
    known, found = {word for sentence in train for word in sentence.words}, {}
    for name, how in (("edit scripts", "scripts"), ("encoder-decoder", "seq2seq"), ("both", "auto")):
        other = RNNTagger(replace(tagger.options, lemmatizer=how), *tagger.__reduce__()[1][1:])
        other.parts = {} if how == "scripts" else tagger.parts
        answers = other.annotate([sentence.words for sentence in dev], ["lemma"])
        right = [(word in known, a == b) for sentence, answer in zip(dev, answers) for word, a, b in zip(
            sentence.words, answer.columns["lemma"].values, sentence.columns["lemma"].values) if b]
        found[f"{name}, unseen words"] = mean(r for seen, r in right if not seen)
        found[f"{name}, all words"] = mean(r for _, r in right)
    return found


TASKS = {"reverse": (reverse, 0), "readings": (readings, 1), "lemmas": (lemmas, 2)}


def main():
    """Run a task with each seed, and print the means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--attention", choices=["dot", "additive"], default="dot")
    arguments = parser.parse_args()
    task, files = TASKS[arguments.task]
    if len(arguments.files) != files:
        parser.error(f"{arguments.task} takes {files} files")
    runs = [task(arguments, seed) for seed in range(1, arguments.seeds + 1)]
    for name in runs[0]:
        values = [100 * run[name] for run in runs]
        print(name, f"{mean(values):.2f}", f"+-{stdev(values):.2f}" if len(values) > 1 else "", sep="\t")


if __name__ == "__main__":
    main()
