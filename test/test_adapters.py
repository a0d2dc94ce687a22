"""NLTK's TaggerI and spaCy's pipeline, tested against the real libraries where they are installed."""

import copy
import pickle
import subprocess
import sys

import pytest
from conftest import ENVIRONMENT

import rnntag
from rnntag.errors import ModelError

PAIRS = [[("the", "DET"), ("dog", "NOUN")], [("dogs", "NOUN"), ("bark", "VERB")]] * 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("adapters") / "m"
    rnntag.save(rnntag.train(PAIRS, epochs=40, hidden=8, embedding=8), path)
    return path


def test_a_missing_library_is_named_with_its_extra():
    program = ("import sys; sys.modules['nltk'] = None\n"
               "try:\n import rnntag.adapters.nltk_tagger\nexcept ImportError as error: print(error)")
    result = subprocess.run([sys.executable, "-c", program], env=ENVIRONMENT, capture_output=True, timeout=60)
    assert b"pip install 'rnntag[nltk]'" in result.stdout


def test_nltk(folder):
    pytest.importorskip("nltk", reason="NLTK is not installed (extra: nltk)")
    from nltk.tag.api import TaggerI

    from rnntag.adapters.nltk_tagger import NLTKTagger

    tagger = NLTKTagger(folder)
    assert isinstance(tagger, TaggerI)
    assert tagger.tag(["the", "dog"]) == [("the", "DET"), ("dog", "NOUN")]
    assert tagger.tag_sents(iter([["dogs", "bark"], []])) == [[("dogs", "NOUN"), ("bark", "VERB")], []]
    assert tagger.tag([]) == []
    assert tagger.accuracy(PAIRS) == 1
    assert NLTKTagger(rnntag.load(folder)).tag(("the", "dog")) == tagger.tag(["the", "dog"])
    for again in (pickle.loads(pickle.dumps(tagger)), copy.deepcopy(tagger)):
        assert again.tag(["the", "dog"]) == tagger.tag(["the", "dog"])


@pytest.fixture
def pipeline():
    spacy = pytest.importorskip("spacy", reason="spaCy is not installed (extra: spacy)")
    import rnntag.adapters.spacy_component  # noqa: F401 - registers the factory, as the entry point does

    return spacy.blank("en")


@pytest.mark.parametrize("attribute", ["tag", "pos"])
def test_spacy(pipeline, folder, attribute):
    pipeline.add_pipe("sentencizer")
    pipeline.add_pipe("rnntag", config={"model": str(folder), "attribute": attribute})
    texts = ["the dog", "", "dogs  bark", "  \n ", "the dog"] * 20
    space = "_SP" if attribute == "tag" else "SPACE"
    for documents in (map(pipeline, texts), pipeline.pipe(texts, batch_size=7)):
        found = [[getattr(token, attribute + "_") for token in doc] for doc in documents]
        assert found[:5] == [["DET", "NOUN"], [], ["NOUN", space, "VERB"], [space], ["DET", "NOUN"]]
        assert found == found[:5] * 20


def test_spacy_tags_in_processes_of_its_own(pipeline, folder):
    pipeline.add_pipe("rnntag", config={"model": str(folder)})
    documents = list(pipeline.pipe(["the dog", "dogs bark"] * 4, n_process=2, batch_size=2))
    assert [[token.tag_ for token in doc] for doc in documents] == [["DET", "NOUN"], ["NOUN", "VERB"]] * 4


def test_spacy_sentences_are_those_of_the_document(pipeline, folder):
    pipeline.add_pipe("rnntag", config={"model": str(folder)})
    component = pipeline.get_pipe("rnntag")
    words = ["the", "dog", "dogs", "bark"]
    from spacy.tokens import Doc
    whole = Doc(pipeline.vocab, words=words)
    split = Doc(pipeline.vocab, words=words, sent_starts=[True, False, True, False])
    seen = []
    component.tagger.tag = lambda sentences: [seen.append(each) or ["X"] * len(each) for each in sentences]
    for doc in (whole, split):
        component(doc)
    assert seen == [words, words[:2], words[2:]]


def test_spacy_refuses_what_is_wrong(pipeline, folder, tmp_path):
    with pytest.raises(ValueError, match="attribute 'lemma'; it is one of tag, pos"):
        pipeline.add_pipe("rnntag", config={"model": str(folder), "attribute": "lemma"})
    with pytest.raises(ModelError):
        pipeline.add_pipe("rnntag", config={"model": str(tmp_path)})
